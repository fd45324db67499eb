// Where a measured value stops being fine: comparisons as people write them ("> 0.9", "< 7",
// "> 90%") and what a value is by them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/yaml_reader.h"
#include "watch/health/health.h"

namespace binnacle::watch::health {

enum class Compare : uint8_t { kAbove, kAtLeast, kBelow, kAtMost, kEqual, kNotEqual };

struct Comparison {
  Compare how = Compare::kAbove;
  double bound = 0;
  bool holds(double value) const;
  std::string text() const;  // "> 0.9"
};

// "> 0.9", ">= 90%"; a bare number compares by `bare`, and is refused when there is none.
std::optional<Comparison> parse_comparison(std::string_view text, std::optional<Compare> bare);

struct Thresholds {
  std::optional<Comparison> warn;      // holds: degraded
  std::optional<Comparison> critical;  // holds: critical

  bool any() const { return warn || critical; }
  // Not a number is kUnknown.
  Health judge(double value) const;
  // The comparison that made it so, "> 0.9"; "" where none holds.
  std::string reason(double value) const;
  // How far `value` is on the bad side of `other`, for the choice of the worst among many.
  bool worse(double value, double other) const;
};

enum class ThresholdUnit : uint8_t { kNumber, kDuration };  // a duration is compared in seconds

// The fields `warn` and `critical` of a map. What stands in `thresholds` already are the defaults.
// A critical bound that is reached before the warning is a problem.
void read_thresholds(YamlMap& map, Thresholds& thresholds, std::optional<Compare> bare,
                     ThresholdUnit unit = ThresholdUnit::kNumber);
// A field of `map` that is itself a map of the two.
void read_thresholds(YamlMap& map, std::string_view name, Thresholds& thresholds,
                     std::optional<Compare> bare, ThresholdUnit unit = ThresholdUnit::kNumber);

// The worse of two; kUnknown, which is no judgement, counts only beside healthy.
Health worse_of(Health a, Health b);

}  // namespace binnacle::watch::health
