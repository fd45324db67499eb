// rate, increase and delta, extrapolated to the window's ends; irate and idelta of its last two
// samples. Source: Prometheus documentation, "Functions", rate().
#include <algorithm>
#include <vector>

#include "base/wide_vectors.h"
#include "query/promql/counter_name.h"
#include "query/promql/counter_resets.h"
#include "query/promql/range_makers.h"

namespace binnacle::query::promql {

// What the times of each window's samples come to, in columns. Seconds.
struct Stretches {
  std::vector<uint32_t> first;   // the window's first sample, 0 where it has fewer than two
  std::vector<uint32_t> last;    // and its last
  std::vector<uint32_t> empty;   // windows of fewer than two
  std::vector<double> span;      // from the first sample to the last
  std::vector<double> to_start;  // how far the series is taken to reach before the first sample
  std::vector<double> to_end;    // and behind the last
  std::vector<double> factor;  // that makes the increase of the span one of the window, or its rate

  void resize(size_t windows) {
    for (auto* const column : {&first, &last}) column->assign(windows, 0);
    for (auto* const column : {&span, &to_start, &to_end, &factor}) column->assign(windows, 0);
    empty.clear();
  }
};

// A counter is not followed back to below zero. Most are far from it, and need no division; a
// counter that stands still is not a guess for the processor either.
inline bool is_near_zero(double first_value, double increase, double span, double to_start) {
  const bool far = first_value * span > to_start * increase * 1.000001;
  return !far & (increase > 0) & (first_value >= 0);
}

// Windows from `from` on, without a counter's fall; returns whether any of them is near zero and
// thus still to be done.
BINNACLE_WIDE_VECTORS
bool multiply(const Stretches& of, size_t from, const double* __restrict values,
              std::span<double> out) {
  const uint32_t* const firsts = of.first.data() + from;
  const uint32_t* const lasts = of.last.data() + from;
  const double* const spans = of.span.data() + from;
  const double* const to_starts = of.to_start.data() + from;
  const double* const factors = of.factor.data() + from;
  double* __restrict const to = out.data();
  uint64_t any_near = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const double first_value = values[firsts[i]];
    const double increase = values[lasts[i]] - first_value;
    to[i] = increase * factors[i];
    any_near |= static_cast<uint64_t>(is_near_zero(first_value, increase, spans[i], to_starts[i]));
  }
  return any_near != 0;
}

namespace {

// A sample is close enough to an end that the series is taken to reach it, or further: then the
// series is taken to begin or end half an interval from the sample.
double stretched_to(double distance, double average) {
  return distance >= average * 1.1 ? average / 2 : distance;
}

// Counters that begin at zero are near it in their first windows alone.
constexpr size_t kWindowsAtOnce = 64;

template <bool kCounter, bool kPerSecond>
class Rate final : public RangeFunction {
 public:
  explicit Rate(const RangeCall& call) : name_(call) {}

  void apply(model::LabelsView labels, const Samples& samples, const Windows& windows,
             std::span<double> out) override {
    if (windows.found == 0 || windows.found != found_) stretch(samples.times_ms, windows);
    if (of_.empty.size() < out.size()) {
      if (kCounter) {
        resets_.find(samples.values);
        name_.look_at(labels);
      }
      if (kCounter && resets_.any()) {
        fill<true>(samples.values, 0, out);
      } else {
        multiply_all(samples.values, out);
      }
    }
    for (const uint32_t i : of_.empty) out[i] = absent_value();
  }

 private:
  void multiply_all(std::span<const double> values, std::span<double> out) {
    for (size_t from = 0; from < out.size(); from += kWindowsAtOnce) {
      const auto some = out.subspan(from, std::min(kWindowsAtOnce, out.size() - from));
      const bool any_near = multiply(of_, from, values.data(), some);
      if (kCounter && any_near) fill<false>(values, from, some);
    }
  }

  // Window by window, with all that can be special about a counter.
  template <bool kResets>
  void fill(std::span<const double> values, size_t from, std::span<double> out) {
    for (size_t n = 0; n < out.size(); ++n) {
      const size_t i = from + n;
      const double first_value = values[of_.first[i]];
      double increase = values[of_.last[i]] - first_value;
      if constexpr (kResets) increase = resets_.add_to(increase, of_.first[i], of_.last[i] + 1);
      const bool near = is_near_zero(first_value, increase, of_.span[i], of_.to_start[i]);
      out[n] = increase * (near ? near_factor(i, first_value, increase) : of_.factor[i]);
    }
  }

  double near_factor(size_t i, double first_value, double increase) const {
    const double to_zero = of_.span[i] * (first_value / increase);
    return whole(of_.span[i], std::min(of_.to_start[i], to_zero), of_.to_end[i]);
  }

  double whole(double span, double to_start, double to_end) const {
    const double factor = (span + to_start + to_end) / span;
    return kPerSecond ? factor / seconds_ : factor;
  }

  // Once for all series with the same times.
  void stretch(std::span<const int64_t> times_ms, const Windows& windows) {
    found_ = windows.found;
    seconds_ = range_seconds(windows.range_ms);
    of_.resize(windows.first.size());
    for (size_t i = 0; i < windows.first.size(); ++i) {
      const uint32_t first = windows.first[i];
      const uint32_t last = windows.last[i] - 1;
      if (windows.last[i] < first + 2) {
        of_.empty.push_back(static_cast<uint32_t>(i));
        continue;
      }
      of_.first[i] = first;
      of_.last[i] = last;
      of_.span[i] = static_cast<double>(times_ms[last] - times_ms[first]) / 1000;
      const double average = of_.span[i] / static_cast<double>(last - first);
      const auto start_ms = times_ms[first] - windows.start_ms(i);
      const auto end_ms = windows.end_ms(i) - times_ms[last];
      of_.to_start[i] = stretched_to(static_cast<double>(start_ms) / 1000, average);
      of_.to_end[i] = stretched_to(static_cast<double>(end_ms) / 1000, average);
      of_.factor[i] = whole(of_.span[i], of_.to_start[i], of_.to_end[i]);
    }
  }

  CounterName name_;
  CounterResets resets_;
  uint64_t found_ = 0;  // what windows.found was for `of_`
  Stretches of_;
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
