// Functions that look at where a window begins and ends: count, present, first, last and their
// times.
#include "query/promql/range_makers.h"

namespace binnacle::query::promql {
namespace {

// first_over_time and last_over_time give a sample as it is, so the name stays.
template <typename Window>
class KeepsName final : public PerWindow<Window> {
 public:
  using PerWindow<Window>::PerWindow;
  bool drops_name() const override { return false; }
};
template <typename Window>
RangeResult keeping_name(Window window) {
  return std::make_unique<KeepsName<Window>>(std::move(window));
}

double seconds(int64_t time_ms) { return static_cast<double>(time_ms) / 1000; }

}  // namespace

RangeResult make_count(const RangeCall&) {
  return per_window([](const Samples&, uint32_t first, uint32_t last, size_t) {
    return static_cast<double>(last - first);
  });
}

RangeResult make_present(const RangeCall&) {
  return per_window([](const Samples&, uint32_t, uint32_t, size_t) { return 1.0; });
}

RangeResult make_first(const RangeCall&) {
  return keeping_name([](const Samples& samples, uint32_t first, uint32_t, size_t) {
    return samples.values[first];
  });
}

RangeResult make_last(const RangeCall&) {
  return keeping_name([](const Samples& samples, uint32_t, uint32_t last, size_t) {
    return samples.values[last - 1];
  });
}

RangeResult make_ts_of_first(const RangeCall&) {
  return per_window([](const Samples& samples, uint32_t first, uint32_t, size_t) {
    return seconds(samples.times_ms[first]);
  });
}

RangeResult make_ts_of_last(const RangeCall&) {
  return per_window([](const Samples& samples, uint32_t, uint32_t last, size_t) {
    return seconds(samples.times_ms[last - 1]);
  });
}

}  // namespace binnacle::query::promql
