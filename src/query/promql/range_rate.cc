// rate, increase and delta, extrapolated to the window's ends; irate and idelta of its last two
// samples. Source: Prometheus documentation, "Functions", rate().
#include "query/promql/counter_name.h"
#include "query/promql/counter_resets.h"
#include "query/promql/range_makers.h"

namespace binnacle::query::promql {
namespace {

// What a window's samples say, before it is stretched to the window's ends. Seconds.
struct Covered {
  double to_start;  // from the window's start to the first sample
  double to_end;    // from the last sample to the window's end
  double span;      // from the first sample to the last
  double average;   // between samples
};

// A sample is close enough to an end that the series is taken to reach it, or further: then the
// series is taken to begin or end half an interval from the sample.
double stretched_to(double distance, double average) {
  return distance >= average * 1.1 ? average / 2 : distance;
}

template <bool kCounter, bool kPerSecond>
double extrapolated(const Covered& covered, double first_value, double increase,
                    double range_seconds) {
  double to_start = stretched_to(covered.to_start, covered.average);
  // A counter is not followed back to below zero. Most are far from it, and need no division.
  if (kCounter && increase > 0 && first_value >= 0 &&
      !(first_value * covered.span > to_start * increase * 1.000001)) {
    const double to_zero = covered.span * (first_value / increase);
    if (to_zero < to_start) to_start = to_zero;
  }
  const double to_end = stretched_to(covered.to_end, covered.average);
  double factor = (covered.span + to_start + to_end) / covered.span;
  if (kPerSecond) factor /= range_seconds;
  return increase * factor;
}

template <bool kCounter, bool kPerSecond>
class Rate final : public RangeFunction {
 public:
  explicit Rate(const RangeCall& call) : name_(call) {}

  void apply(model::LabelsView labels, const Samples& samples, const Windows& windows,
             std::span<double> out) override {
    if (kCounter) resets_.find(samples.values);
    const double seconds = range_seconds(windows.range_ms);
    bool any = false;
    for (size_t i = 0; i < out.size(); ++i) {
      const uint32_t first = windows.first[i];
      const uint32_t last = windows.last[i];
      if (last < first + 2) {
        out[i] = absent_value();
        continue;
      }
      any = true;
      const double first_value = samples.values[first];
      double increase = samples.values[last - 1] - first_value;
      if (kCounter) increase = resets_.add_to(increase, first, last);
      out[i] = extrapolated<kCounter, kPerSecond>(cover(samples, windows, i), first_value, increase,
                                                  seconds);
    }
    if (kCounter && any) name_.look_at(labels);
  }

 private:
  static Covered cover(const Samples& samples, const Windows& windows, size_t i) {
    const int64_t end_ms = windows.end_ms(i);
    const int64_t first_ms = samples.times_ms[windows.first[i]];
    const int64_t last_ms = samples.times_ms[windows.last[i] - 1];
    const double span = static_cast<double>(last_ms - first_ms) / 1000;
    return {static_cast<double>(first_ms - (end_ms - windows.range_ms)) / 1000,
            static_cast<double>(end_ms - last_ms) / 1000, span,
            span / static_cast<double>(windows.last[i] - windows.first[i] - 1)};
  }

  CounterName name_;
  CounterResets resets_;
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
