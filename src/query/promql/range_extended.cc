// rate, increase and delta of anchored and smoothed selectors: nothing is extrapolated. Anchored, a
// window begins at the last sample before it, if the lookback reaches that. Smoothed, the values at
// the window's very ends are interpolated between the samples on both sides.
#include <algorithm>

#include "query/promql/counter_name.h"
#include "query/promql/counter_resets.h"
#include "query/promql/function_table.h"
#include "query/promql/range_makers.h"

namespace binnacle::query::promql {
namespace {

template <bool kCounter>
class Extended final : public RangeFunction {
 public:
  explicit Extended(const RangeCall& call)
      : smoothed_(call.smoothed),
        per_second_(call.call.function->name == "rate"),
        lookback_ms_(call.lookback_ms),
        name_(call) {}

  void apply(model::LabelsView labels, const Samples& samples, const Windows& windows,
             std::span<double> out) override {
    samples_ = samples;
    if (kCounter) resets_.find(samples.values);
    const double seconds = range_seconds(windows.range_ms);
    bool any = false;
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = smoothed_ ? between_ends(windows, i) : from_anchor(windows, i);
      if (is_absent(out[i])) continue;
      any = true;
      if (per_second_) out[i] /= seconds;
    }
    if (kCounter && any) name_.look_at(labels);
  }

 private:
  bool reaches_before(const Windows& windows, size_t i) const {
    const uint32_t first = windows.first[i];
    return first > 0 && samples_.times_ms[first - 1] > windows.start_ms(i) - lookback_ms_;
  }

  double from_anchor(const Windows& windows, size_t i) {
    const uint32_t last = windows.last[i];
    if (windows.first[i] >= last) return absent_value();
    const uint32_t anchor = windows.first[i] - (reaches_before(windows, i) ? 1 : 0);
    const double change = samples_.values[last - 1] - samples_.values[anchor];
    return kCounter ? change + resets_.add_in_order(0, anchor, last) : change;
  }

  double between_ends(const Windows& windows, size_t i) {
    const int64_t start_ms = windows.start_ms(i);
    const int64_t end_ms = windows.end_ms(i);
    const uint32_t first = windows.first[i];
    // Samples before `inner_end` lie before the window's end; `final` is the one at or behind it.
    uint32_t inner_end = windows.last[i];
    if (inner_end > first && samples_.times_ms[inner_end - 1] == end_ms) --inner_end;
    const bool reaches_behind = inner_end < samples_.times_ms.size() &&
                                samples_.times_ms[inner_end] <= end_ms + lookback_ms_;
    const uint32_t from = first - (reaches_before(windows, i) ? 1 : 0);
    if (!reaches_behind && inner_end <= first) return absent_value();
    if (samples_.times_ms[from] > end_ms) return absent_value();
    const uint32_t final = reaches_behind ? inner_end : inner_end - 1;
    const double left =
        from < first && samples_.times_ms[from] < start_ms ? at(from, start_ms) : value(from);
    const double right = samples_.times_ms[final] > end_ms ? at(final - 1, end_ms) : value(final);
    return kCounter ? right - left + lost(left, right, first, inner_end) : right - left;
  }

  // On the line from sample k to the next; a counter that fell began again at zero.
  double at(uint32_t k, int64_t time_ms) const {
    const double to = value(k + 1);
    const double from = kCounter && to < value(k) ? 0 : value(k);
    return from + (to - from) * static_cast<double>(time_ms - samples_.times_ms[k]) /
                      static_cast<double>(samples_.times_ms[k + 1] - samples_.times_ms[k]);
  }

  // What the falls between the left end, samples [first, last) and the right end hide.
  double lost(double left, double right, uint32_t first, uint32_t last) {
    if (first >= last) return right < left ? left : 0;
    const double inner = resets_.add_in_order(value(first) < left ? left : 0, first, last);
    return right < value(last - 1) ? inner + value(last - 1) : inner;
  }

  double value(uint32_t k) const { return samples_.values[k]; }

  const bool smoothed_;
  const bool per_second_;
  const int64_t lookback_ms_;
  CounterName name_;
  CounterResets resets_;
  Samples samples_;  // of the call of apply()
};

}  // namespace

RangeResult make_extended(const RangeCall& call) {
  if (call.call.function->name == "delta") return std::make_unique<Extended<false>>(call);
  return std::make_unique<Extended<true>>(call);
}

}  // namespace binnacle::query::promql
