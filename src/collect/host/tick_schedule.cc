#include "collect/host/tick_schedule.h"

#include <cstdlib>

#include "base/check.h"

namespace binnacle::collect::host {

TickSchedule::TickSchedule(int64_t interval_ns, int64_t first_ns)
    : interval_ns_(interval_ns), next_ns_(first_ns) {
  CHECK(interval_ns > 0);
}

int64_t TickSchedule::advance(int64_t now_ns) {
  next_ns_ += interval_ns_;
  if (next_ns_ > now_ns) return 0;
  const int64_t missed = (now_ns - next_ns_) / interval_ns_ + 1;
  next_ns_ += missed * interval_ns_;
  return missed;
}

int64_t StampAligner::align(int64_t wall_ms) {
  const int64_t expected_ms = previous_ms_ + interval_ms_;
  previous_ms_ = std::abs(wall_ms - expected_ms) <= kToleranceMs ? expected_ms : wall_ms;
  return previous_ms_;
}

}  // namespace binnacle::collect::host
