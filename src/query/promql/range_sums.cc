// sum_over_time and avg_over_time: short windows are added up one by one, long ones that overlap
// come from prefix sums where these are certain of the result (prefix_sums.h).
#include "query/promql/compensated_sum.h"
#include "query/promql/prefix_sums.h"
#include "query/promql/range_makers.h"

namespace binnacle::query::promql {
namespace {

using Values = std::span<const double>;

double add_up(Values values) {
  CompensatedSum sum;
  for (const double value : values) {
    sum.add(value);
    if (std::isnan(sum.sum)) break;  // nothing mends it
  }
  return std::isinf(sum.sum) ? sum.sum : sum.total();
}

// Where the sum overflows, the mean so far goes on as a running mean.
double running_mean(Values values, size_t done, CompensatedSum sum) {
  CompensatedSum mean{sum.sum / static_cast<double>(done), sum.error / static_cast<double>(done)};
  for (size_t i = done; i < values.size(); ++i) {
    const auto count = static_cast<double>(i + 1);
    const double kept = (count - 1) / count;
    mean = {kept * mean.sum, kept * mean.error};
    mean.add(values[i] / count);
  }
  return mean.total();
}

double mean_of(const CompensatedSum& sum, size_t count) {
  return sum.sum / static_cast<double>(count) + sum.error / static_cast<double>(count);
}

double average(Values values) {
  CompensatedSum sum{values[0], 0};
  for (size_t i = 1; i < values.size(); ++i) {
    CompensatedSum next = sum;
    next.add(values[i]);
    if (std::isinf(next.sum)) return running_mean(values, i, sum);
    sum = next;
    if (std::isnan(sum.sum)) break;
  }
  return mean_of(sum, values.size());
}

// Prefix sums cost about as much a sample as four additions.
constexpr size_t kPrefixCost = 4;

template <bool kAverage>
class Sum final : public RangeFunction {
 public:
  void apply(model::LabelsView, const Samples& samples, const Windows& windows,
             std::span<double> out) override {
    const bool prefix = windows.samples() > kPrefixCost * samples.values.size();
    if (prefix) prefix_.assign(samples.values);
    fill_windows(windows, out, [&](uint32_t first, uint32_t last, size_t) {
      if (DoubleDouble sum; prefix && prefix_.sum(first, last, sum))
        return kAverage ? mean_of({sum.high, sum.low}, last - first) : sum.value();
      const Values values = samples.values.subspan(first, last - first);
      return kAverage ? average(values) : add_up(values);
    });
  }

 private:
  PrefixSums prefix_;
};

}  // namespace

RangeResult make_sum(const RangeCall&) { return std::make_unique<Sum<false>>(); }
RangeResult make_avg(const RangeCall&) { return std::make_unique<Sum<true>>(); }

}  // namespace binnacle::query::promql
