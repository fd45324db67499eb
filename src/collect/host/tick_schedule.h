// When to tick, and what time to stamp: pure arithmetic on times that are handed in, in the manner
// of a state machine. Ticks stand on a fixed grid of monotonic time, so that lateness of one does
// not move the next.
#pragma once

#include <cstdint>

namespace binnacle::collect::host {

class TickSchedule {
 public:
  TickSchedule(int64_t interval_ns, int64_t first_ns);

  int64_t next_ns() const { return next_ns_; }

  // After the tick of next_ns() was worked off: next_ns() becomes the first one after `now_ns`.
  // Answers how many ticks were passed over because the work took too long or the machine slept.
  int64_t advance(int64_t now_ns);

 private:
  const int64_t interval_ns_;  // fixed after construction
  int64_t next_ns_;
};

// Moves timestamps that jitter by a millisecond or two onto a steady step from the one before.
// Equal steps cost the store next to nothing, jittering ones some bits a sample.
class StampAligner {
 public:
  static constexpr int64_t kToleranceMs = 2;

  explicit StampAligner(int64_t interval_ms) : interval_ms_(interval_ms) {}

  int64_t align(int64_t wall_ms);

 private:
  const int64_t interval_ms_;  // fixed after construction
  int64_t previous_ms_ = 0;
};

}  // namespace binnacle::collect::host
