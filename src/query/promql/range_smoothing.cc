// double_exponential_smoothing (Holt's linear trend): every sample of a window counts for what
// follows, so a window is gone through from its start.
#include <cmath>

#include <fmt/format.h>

#include "query/promql/range_makers.h"
#include "query/promql/text_of_values.h"

namespace binnacle::query::promql {
namespace {

double smoothed(std::span<const double> values, double level_factor, double trend_factor) {
  double before = 0;
  double level = values[0];
  double trend = values[1] - values[0];
  for (size_t i = 1; i < values.size(); ++i) {
    const double scaled = level_factor * values[i];
    if (i > 1) trend = trend_factor * (level - before) + (1 - trend_factor) * trend;
    before = level;
    level = scaled + (1 - level_factor) * (level + trend);
  }
  return level;
}

// NaN passes: it makes the answer NaN.
bool is_wrong(double factor) { return factor <= 0 || factor >= 1; }

Unexpected wrong_factor(std::string_view what, std::string_view letter, double got) {
  const std::string text = std::isfinite(got) ? fmt::format("{:f}", got) : number_text(got);
  return fail(Code::kOutOfRange,
              fmt::format("invalid {} factor. Expected: 0 < {} < 1, got: {}", what, letter, text));
}

}  // namespace

RangeResult make_double_exponential_smoothing(const RangeCall& call) {
  const std::span<const double> levels = call.scalars[0];
  const std::span<const double> trends = call.scalars[1];
  for (size_t i = 0; i < levels.size(); ++i) {
    if (is_wrong(levels[i])) return wrong_factor("smoothing", "sf", levels[i]);
    if (is_wrong(trends[i])) return wrong_factor("trend", "tf", trends[i]);
  }
  return per_window(
      [levels, trends](const Samples& samples, uint32_t first, uint32_t last, size_t step) {
        if (last < first + 2) return absent_value();
        return smoothed(samples.values.subspan(first, last - first), levels[step], trends[step]);
      });
}

}  // namespace binnacle::query::promql
