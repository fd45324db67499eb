// min, max and when they were, over sliding windows: a queue of the samples that may still become
// the extreme, each beaten by those before it (Lemire 2006). NaN is an extreme only among NaNs.
#include <cmath>

#include "query/promql/range_makers.h"

namespace binnacle::query::promql {
namespace {

template <bool kMax, bool kTime>
class Extreme final : public RangeFunction {
 public:
  void apply(model::LabelsView, const Samples& samples, const Windows& windows,
             std::span<double> out) override {
    queue_.resize(samples.values.size());
    head_ = tail_ = 0;
    uint32_t next = 0;
    for (size_t i = 0; i < out.size(); ++i) {
      const uint32_t first = windows.first[i];
      const uint32_t last = windows.last[i];
      for (next = std::max(next, first); next < last; ++next) push(samples.values[next], next);
      while (head_ < tail_ && queue_[head_].place < first) ++head_;
      out[i] = first < last ? answer(samples, last) : absent_value();
    }
  }

 private:
  struct Candidate {
    double value;
    uint32_t place;
  };

  // Of equal values the first is the extreme, but its time is the last one's.
  static bool beats(double value, double other) {
    if (kTime) return kMax ? value >= other : value <= other;
    return kMax ? value > other : value < other;
  }

  void push(double value, uint32_t place) {
    if (std::isnan(value)) return;
    while (tail_ > head_ && beats(value, queue_[tail_ - 1].value)) --tail_;
    queue_[tail_++] = {value, place};
  }

  double answer(const Samples& samples, uint32_t last) const {
    const bool none = head_ == tail_;
    if (!kTime) return none ? samples.values[last - 1] : queue_[head_].value;
    return static_cast<double>(samples.times_ms[none ? last - 1 : queue_[head_].place]) / 1000;
  }

  std::vector<Candidate> queue_;  // [head_, tail_); a sample is put in once, so it never wraps
  size_t head_ = 0;
  size_t tail_ = 0;
};

}  // namespace

RangeResult make_min(const RangeCall&) { return std::make_unique<Extreme<false, false>>(); }
RangeResult make_max(const RangeCall&) { return std::make_unique<Extreme<true, false>>(); }
RangeResult make_ts_of_min(const RangeCall&) { return std::make_unique<Extreme<false, true>>(); }
RangeResult make_ts_of_max(const RangeCall&) { return std::make_unique<Extreme<true, true>>(); }

}  // namespace binnacle::query::promql
