// One metric family as node_exporter names it: name, help, type and the names of its labels.
// Whoever emits under a Metric keeps it at one address for as long as the Emitter lives: the
// address is its identity.
#pragma once

#include <span>
#include <string_view>

#include "model/sample.h"

namespace binnacle::collect::host {

struct Metric {
  std::string_view name;
  std::string_view help;
  model::MetricType type = model::MetricType::kUnknown;
  std::span<const std::string_view> labels = {};
};

inline constexpr std::string_view kDeviceLabel[] = {"device"};

constexpr Metric counter(std::string_view name, std::string_view help,
                         std::span<const std::string_view> labels = {}) {
  return {name, help, model::MetricType::kCounter, labels};
}
constexpr Metric gauge(std::string_view name, std::string_view help,
                       std::span<const std::string_view> labels = {}) {
  return {name, help, model::MetricType::kGauge, labels};
}

}  // namespace binnacle::collect::host
