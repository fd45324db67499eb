#include "watch/health/health.h"

#include <array>

namespace binnacle::watch::health {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"healthy", "degraded", "critical", "failed",
                                                    "unknown"};

}  // namespace

std::string_view health_name(Health health) { return kNames.at(static_cast<size_t>(health)); }

std::optional<Health> health_of_name(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Health>(i);
  }
  return std::nullopt;
}

}  // namespace binnacle::watch::health
