// stdvar_over_time and stddev_over_time: Welford's running variance with compensated sums, a window
// at a time; of long windows that overlap, from prefix sums of values and squares where little
// enough cancels. A window of one value over and over is told from the column's runs.
#include "query/promql/compensated_sum.h"
#include "query/promql/constant_runs.h"
#include "query/promql/prefix_sums.h"
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

// Prefix sums cost about as much a sample as so many of the running variance, and short windows
// stay with that.
constexpr size_t kPrefixCost = 16;

// The difference of the squares from the mean's must be so many times its error, and not so small
// beside them that the running variance errs itself; nor near where products lose bits.
constexpr double kCertain = 0x1p35;
constexpr double kDistinct = 0x1p-44;
constexpr double kTiny = 1e-200;

class Squares {
 public:
  void assign(std::span<const double> values) {
    sums_.assign(values);
    squares_.assign_products(values, values);
  }

  // False: the running variance has to tell.
  bool variance(uint32_t first, uint32_t last, double& out) const {
    if (!squares_.tame(first, last)) return false;
    const auto count = static_cast<double>(last - first);
    const DoubleDouble sum = sums_.between(first, last);
    const DoubleDouble squares = squares_.between(first, last);
    // count * (squares' sum) - (sum)^2, which is count^2 variances.
    const double spread = (squares * count - sum * sum).value();
    const double error = count * squares_.error(last) + 2 * std::abs(sum.high) * sums_.error(last) +
                         count * squares.high * 0x1p-100;
    out = spread / (count * count);
    return spread > error * kCertain && spread > count * squares.high * kDistinct && out > kTiny;
  }

 private:
  PrefixSums sums_;
  PrefixSums squares_;
};

template <bool kRoot>
class Deviation final : public RangeFunction {
 public:
  void apply(model::LabelsView, const Samples& samples, const Windows& windows,
             std::span<double> out) override {
    runs_.find(samples.values);
    const bool prefix = windows.samples() > kPrefixCost * samples.values.size();
    if (prefix) squares_.assign(samples.values);
    fill_windows(windows, out, [&](uint32_t first, uint32_t last, size_t) {
      if (runs_.constant(first, last) && std::isfinite(samples.values[first])) return 0.0;
      double result = 0;
      if (!prefix || !squares_.variance(first, last, result))
        result = variance(samples.values.subspan(first, last - first));
      return kRoot ? std::sqrt(result) : result;
    });
  }

 private:
  ConstantRuns runs_;
  Squares squares_;
};

}  // namespace

RangeResult make_stddev(const RangeCall&) { return std::make_unique<Deviation<true>>(); }
RangeResult make_stdvar(const RangeCall&) { return std::make_unique<Deviation<false>>(); }

}  // namespace binnacle::query::promql
