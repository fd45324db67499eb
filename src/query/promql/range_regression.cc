// deriv and predict_linear: a least-squares line through each window's samples. Time is counted
// from near the window, or its squares would leave no bits for the values.
#include <cmath>
#include <limits>

#include "query/promql/compensated_sum.h"
#include "query/promql/constant_runs.h"
#include "query/promql/line_sums.h"
#include "query/promql/range_makers.h"

namespace binnacle::query::promql {
namespace {

struct Line {
  double slope;      // per second
  double intercept;  // at the time from which x is counted
};

Line fit(const Samples& samples, uint32_t first, uint32_t last, int64_t origin_ms) {
  CompensatedSum x_sum, y_sum, xy_sum, xx_sum;
  for (uint32_t i = first; i < last; ++i) {
    const double x = static_cast<double>(samples.times_ms[i] - origin_ms) / 1e3;
    const double y = samples.values[i];
    x_sum.add(x);
    y_sum.add(y);
    xy_sum.add(x * y);
    xx_sum.add(x * x);
  }
  const auto count = static_cast<double>(last - first);
  const double x = x_sum.total();
  const double y = y_sum.total();
  const double slope = (xy_sum.total() - x * y / count) / (xx_sum.total() - x * x / count);
  return {slope, y / count - slope * x / count};
}

// The sums cost about as much a sample as so many of going through a window, and short windows stay
// with that.
constexpr size_t kPrefixCost = 16;

template <bool kPredict>
class Regression final : public RangeFunction {
 public:
  explicit Regression(const RangeCall& call) {
    if (kPredict) ahead_ = call.scalars[0];
  }

  void apply(model::LabelsView, const Samples& samples, const Windows& windows,
             std::span<double> out) override {
    runs_.find(samples.values);
    const bool sums = windows.samples() > kPrefixCost * samples.values.size();
    if (sums) sums_.assign(samples.times_ms, samples.values);
    fill_windows(windows, out, [&](uint32_t first, uint32_t last, size_t i) {
      if (last < first + 2) return absent_value();
      const int64_t now_ms = windows.steps.at(i);
      const bool constant = runs_.constant(first, last);
      double result = 0;
      if (sums && !constant && from_sums(first, last, now_ms, i, result)) return result;
      const int64_t origin_ms = kPredict ? now_ms : samples.times_ms[first];
      const Line line =
          constant ? level(samples.values[first]) : fit(samples, first, last, origin_ms);
      return kPredict ? line.slope * ahead_[i] + line.intercept : line.slope;
    });
  }

 private:
  bool from_sums(uint32_t first, uint32_t last, int64_t now_ms, size_t step, double& out) const {
    FittedLine line;
    if (!sums_.fit(first, last, line)) return false;
    out = line.slope;
    if (!kPredict) return true;
    const double after_ms = static_cast<double>(now_ms - line.origin_ms) - line.after_ms;
    const double rise = line.slope * (ahead_[step] + after_ms / 1e3);
    out = line.value + rise;
    // What is left of two that all but cancel depends on how they were rounded.
    return std::abs(out) > std::abs(rise) * 0x1p-6;
  }

  static Line level(double value) {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    return std::isinf(value) ? Line{kNaN, kNaN} : Line{0, value};
  }

  std::span<const double> ahead_;  // seconds from each step
  ConstantRuns runs_;
  LineSums sums_;
};

}  // namespace

RangeResult make_deriv(const RangeCall& call) { return std::make_unique<Regression<false>>(call); }
RangeResult make_predict_linear(const RangeCall& call) {
  return std::make_unique<Regression<true>>(call);
}

}  // namespace binnacle::query::promql
