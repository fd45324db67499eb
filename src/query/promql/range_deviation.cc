// stdvar_over_time and stddev_over_time: Welford's running variance with compensated sums, a window
// at a time; a window of one value over and over is told from the column's runs.
#include "query/promql/compensated_sum.h"
#include "query/promql/constant_runs.h"
#include "query/promql/range_makers.h"

namespace binnacle::query::promql {
namespace {

double variance(std::span<const double> values) {
  double count = 0;
  CompensatedSum mean;
  CompensatedSum squares;
  for (const double value : values) {
    ++count;
    const double delta = value - mean.total();
    mean.add(delta / count);
    squares.add(delta * (value - mean.total()));
  }
  return squares.total() / count;
}

template <bool kRoot>
class Deviation final : public RangeFunction {
 public:
  void apply(model::LabelsView, const Samples& samples, const Windows& windows,
             std::span<double> out) override {
    runs_.find(samples.values);
    for (size_t i = 0; i < out.size(); ++i) {
      const uint32_t first = windows.first[i];
      const uint32_t last = windows.last[i];
      if (first >= last) {
        out[i] = absent_value();
      } else if (runs_.constant(first, last) && std::isfinite(samples.values[first])) {
        out[i] = 0;
      } else {
        const double result = variance(samples.values.subspan(first, last - first));
        out[i] = kRoot ? std::sqrt(result) : result;
      }
    }
  }

 private:
  ConstantRuns runs_;
};

}  // namespace

RangeResult make_stddev(const RangeCall&) { return std::make_unique<Deviation<true>>(); }
RangeResult make_stdvar(const RangeCall&) { return std::make_unique<Deviation<false>>(); }

}  // namespace binnacle::query::promql
