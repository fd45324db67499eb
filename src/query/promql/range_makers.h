// Who makes which function over range vectors; make_range_function() picks by name. Internal to the
// range functions.
#pragma once

#include <memory>

#include "query/promql/range_functions.h"

namespace binnacle::query::promql {

using RangeFunctionPtr = std::unique_ptr<RangeFunction>;
using RangeResult = Result<RangeFunctionPtr>;

RangeResult make_delta(const RangeCall& call);
RangeResult make_increase(const RangeCall& call);
RangeResult make_rate(const RangeCall& call);
RangeResult make_idelta(const RangeCall& call);
RangeResult make_irate(const RangeCall& call);
RangeResult make_extended(const RangeCall& call);  // delta, increase, rate: anchored or smoothed
RangeResult make_changes(const RangeCall& call);   // anchored too
RangeResult make_resets(const RangeCall& call);    // anchored too

RangeResult make_sum(const RangeCall& call);
RangeResult make_avg(const RangeCall& call);
RangeResult make_stddev(const RangeCall& call);
RangeResult make_stdvar(const RangeCall& call);
RangeResult make_min(const RangeCall& call);
RangeResult make_max(const RangeCall& call);
RangeResult make_ts_of_min(const RangeCall& call);
RangeResult make_ts_of_max(const RangeCall& call);
RangeResult make_quantile(const RangeCall& call);
RangeResult make_mad(const RangeCall& call);

RangeResult make_count(const RangeCall& call);
RangeResult make_first(const RangeCall& call);
RangeResult make_last(const RangeCall& call);
RangeResult make_present(const RangeCall& call);
RangeResult make_ts_of_first(const RangeCall& call);
RangeResult make_ts_of_last(const RangeCall& call);

RangeResult make_deriv(const RangeCall& call);
RangeResult make_predict_linear(const RangeCall& call);
RangeResult make_double_exponential_smoothing(const RangeCall& call);

// out[i] becomes value(first, last, i) of each window that has samples, first < last, and absent
// for the others. Stops early when WindowWatch says so.
template <typename Value>
void fill_windows(const Windows& windows, std::span<double> out, const Value& value) {
  WindowWatch watch(windows);
  for (size_t i = 0; i < out.size(); ++i) {
    const uint32_t first = windows.first[i];
    const uint32_t last = windows.last[i];
    if (watch.over(last - first)) return;
    out[i] = first < last ? value(first, last, i) : absent_value();
  }
}

// A function that looks at the samples of one window and nothing else: Window is called with
// (samples, first, last, step), first < last.
template <typename Window>
class PerWindow : public RangeFunction {
 public:
  explicit PerWindow(Window window) : window_(std::move(window)) {}
  void apply(model::LabelsView, const Samples& samples, const Windows& windows,
             std::span<double> out) override {
    fill_windows(windows, out, [&](uint32_t first, uint32_t last, size_t i) {
      return window_(samples, first, last, i);
    });
  }

 private:
  Window window_;
};
template <typename Window>
RangeResult per_window(Window window) {
  return std::make_unique<PerWindow<Window>>(std::move(window));
}

// The part of a window's range, in seconds, as Prometheus computes it.
inline double range_seconds(int64_t range_ms) {
  return static_cast<double>(range_ms / 1000) + static_cast<double>(range_ms % 1000) * 1e6 / 1e9;
}

// Where annotations about an argument point: inside its parentheses; of a subquery, whose samples
// have no place in the text, its start.
PositionRange argument_position(const Call& call, size_t argument);

}  // namespace binnacle::query::promql
