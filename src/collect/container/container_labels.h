// The labels that every metric of a container has, and how a metric of containers is declared.
// Pure.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "collect/container/container_list.h"
#include "collect/host/metric.h"

namespace binnacle::collect::container {

inline constexpr size_t kContainerLabelCount = 6;
// In the order of LabelRow's values. A metric with labels of its own has them after these.
inline constexpr std::string_view kContainerLabels[] = {"id",        "image", "name",
                                                        "container", "pod",   "namespace"};

// Values for one container; those of a metric's own labels are set behind them, one metric after
// another. Views: the container must outlive it.
class LabelRow {
 public:
  explicit LabelRow(const Container& of)
      : values_{of.cgroup,           of.labels.image, of.labels.name,
                of.labels.container, of.labels.pod,   of.labels.pod_namespace} {}

  std::span<const std::string_view> plain() const {
    return std::span(values_).first(kContainerLabelCount);
  }
  std::span<const std::string_view> with(std::string_view own) {
    values_[kContainerLabelCount] = own;
    return std::span(values_).first(kContainerLabelCount + 1);
  }
  std::span<const std::string_view> with(std::string_view own, std::string_view second) {
    values_[kContainerLabelCount] = own;
    values_[kContainerLabelCount + 1] = second;
    return std::span(values_);
  }

 private:
  std::array<std::string_view, kContainerLabelCount + 2> values_;
};

}  // namespace binnacle::collect::container
