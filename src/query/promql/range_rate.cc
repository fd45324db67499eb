// rate, increase and delta, extrapolated to the window's ends; irate and idelta of its last two
// samples. Source: Prometheus documentation, "Functions", rate().
#include <algorithm>
#include <vector>

#include "query/promql/counter_name.h"
#include "query/promql/counter_resets.h"
#include "query/promql/range_makers.h"

namespace binnacle::query::promql {
namespace {

// A sample is close enough to an end that the series is taken to reach it, or further: then the
// series is taken to begin or end half an interval from the sample.
double stretched_to(double distance, double average) {
  return distance >= average * 1.1 ? average / 2 : distance;
}

// What the times of a window's samples come to. Seconds.
struct Stretch {
  double span = 0;      // from the first sample to the last
  double to_start = 0;  // how far the series is taken to reach before the first sample
  double to_end = 0;    // and behind the last
  double factor = 0;    // that makes the increase of the span one of the window, or its rate
};

template <bool kCounter, bool kPerSecond>
class Rate final : public RangeFunction {
 public:
  explicit Rate(const RangeCall& call) : name_(call) {}

  void apply(model::LabelsView labels, const Samples& samples, const Windows& windows,
             std::span<double> out) override {
    if (kCounter) resets_.find(samples.values);
    if (windows.found == 0 || windows.found != found_) stretch(samples.times_ms, windows);
    const bool any = kCounter && resets_.any() ? fill<true>(samples.values, windows, out)
                                               : fill<false>(samples.values, windows, out);
    if (kCounter && any) name_.look_at(labels);
  }

 private:
  // False where no window has two samples.
  template <bool kResets>
  bool fill(std::span<const double> values, const Windows& windows, std::span<double> out) {
    const double* const at = values.data();
    const uint32_t* const firsts = windows.first.data();
    const uint32_t* const lasts = windows.last.data();
    const Stretch* const stretches = stretches_.data();
    bool any = false;
    for (size_t i = 0; i < out.size(); ++i) {
      const uint32_t first = firsts[i];
      const uint32_t last = lasts[i];
      if (last < first + 2) {
        out[i] = absent_value();
        continue;
      }
      any = true;
      const double first_value = at[first];
      double increase = at[last - 1] - first_value;
      if constexpr (kResets) increase = resets_.add_to(increase, first, last);
      out[i] = increase * factor(stretches[i], first_value, increase);
    }
    return any;
  }

  // A counter is not followed back to below zero. Most are far from it, and need no division; a
  // counter that stands still is not a guess for the processor either.
  double factor(const Stretch& of, double first_value, double increase) const {
    const bool far = first_value * of.span > of.to_start * increase * 1.000001;
    const bool near = !far & (increase > 0) & (first_value >= 0);
    if (!kCounter || !near) [[likely]]
      return of.factor;
    const double to_zero = of.span * (first_value / increase);
    return whole(of.span, std::min(of.to_start, to_zero), of.to_end);
  }

  double whole(double span, double to_start, double to_end) const {
    const double factor = (span + to_start + to_end) / span;
    return kPerSecond ? factor / seconds_ : factor;
  }

  // Once for all series with the same times.
  void stretch(std::span<const int64_t> times_ms, const Windows& windows) {
    found_ = windows.found;
    seconds_ = range_seconds(windows.range_ms);
    stretches_.assign(windows.first.size(), {});
    for (size_t i = 0; i < stretches_.size(); ++i) {
      const uint32_t first = windows.first[i];
      const uint32_t last = windows.last[i];
      if (last < first + 2) continue;
      Stretch& out = stretches_[i];
      out.span = static_cast<double>(times_ms[last - 1] - times_ms[first]) / 1000;
      const double average = out.span / static_cast<double>(last - first - 1);
      const auto start_ms = times_ms[first] - windows.start_ms(i);
      const auto end_ms = windows.end_ms(i) - times_ms[last - 1];
      out.to_start = stretched_to(static_cast<double>(start_ms) / 1000, average);
      out.to_end = stretched_to(static_cast<double>(end_ms) / 1000, average);
      out.factor = whole(out.span, out.to_start, out.to_end);
    }
  }

  CounterName name_;
  CounterResets resets_;
  uint64_t found_ = 0;  // what windows.found was for `stretches_`
  std::vector<Stretch> stretches_;
  double seconds_ = 0;
};

template <bool kCounter>
double of_last_two(const Samples& samples, uint32_t first, uint32_t last, size_t) {
  if (last < first + 2) return absent_value();
  const double before = samples.values[last - 2];
  const double now = samples.values[last - 1];
  // A counter that fell began again at zero.
  const double change = kCounter && now < before ? now : now - before;
  if (!kCounter) return change;
  const int64_t span_ms = samples.times_ms[last - 1] - samples.times_ms[last - 2];
  return change / (static_cast<double>(span_ms) / 1000);
}

}  // namespace

RangeResult make_delta(const RangeCall& call) { return std::make_unique<Rate<false, false>>(call); }
RangeResult make_increase(const RangeCall& call) {
  return std::make_unique<Rate<true, false>>(call);
}
RangeResult make_rate(const RangeCall& call) { return std::make_unique<Rate<true, true>>(call); }
RangeResult make_idelta(const RangeCall&) { return per_window(of_last_two<false>); }
RangeResult make_irate(const RangeCall&) { return per_window(of_last_two<true>); }

}  // namespace binnacle::query::promql
