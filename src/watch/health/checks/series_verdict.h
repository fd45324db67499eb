// Judges every series of an answer and names the worst. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "watch/health/checks/series_values.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {

// "0.953", "95.3 %", "1.2 GiB", "3 days": by the unit of a reading.
std::string value_text(double value, std::string_view unit);

// The worst by `thresholds`; null when there are none. Among those that are equally bad, and among
// the fine ones, the one furthest on the bad side.
const SeriesValue* worst_series(const std::vector<SeriesValue>& values,
                                const Thresholds& thresholds);

// Adds what is wrong: "space 3 of 12 series, worst {...} is 96 % (critical: > 0.95)".
// `what` may be empty.
void judge_series(const std::vector<SeriesValue>& values, const Thresholds& thresholds,
                  std::string_view what, std::string_view unit, Verdict& verdict);

}  // namespace binnacle::watch::health
