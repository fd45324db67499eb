// changes and resets: counted once for the whole column, a window's are a difference of two counts.
// Anchored, the sample before the window counts as its first.
#include "query/promql/range_makers.h"

namespace binnacle::query::promql {
namespace {

struct IsChange {
  bool operator()(double before, double now) const {
    return now != before && !(now != now && before != before);
  }
};
struct IsReset {
  bool operator()(double before, double now) const { return now < before; }
};

template <typename IsCounted>
class PairCount final : public RangeFunction {
 public:
  explicit PairCount(const RangeCall& call)
      : anchored_(call.anchored), lookback_ms_(call.lookback_ms) {}

  void apply(model::LabelsView, const Samples& samples, const Windows& windows,
             std::span<double> out) override {
    count(samples.values);
    for (size_t i = 0; i < out.size(); ++i) {
      uint32_t first = windows.first[i];
      const uint32_t last = windows.last[i];
      if (first >= last) {
        out[i] = absent_value();
        continue;
      }
      if (anchored_ && first > 0 &&
          samples.times_ms[first - 1] > windows.start_ms(i) - lookback_ms_)
        --first;
      out[i] = static_cast<double>(counts_[last - 1] - counts_[first]);
    }
  }

 private:
  void count(std::span<const double> values) {
    counts_.resize(values.size());
    uint32_t total = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) total += IsCounted()(values[i - 1], values[i]) ? 1 : 0;
      counts_[i] = total;
    }
  }

  const bool anchored_;
  const int64_t lookback_ms_;
  std::vector<uint32_t> counts_;  // of pairs up to each sample
};

}  // namespace

RangeResult make_changes(const RangeCall& call) {
  return std::make_unique<PairCount<IsChange>>(call);
}
RangeResult make_resets(const RangeCall& call) {
  return std::make_unique<PairCount<IsReset>>(call);
}

}  // namespace binnacle::query::promql
