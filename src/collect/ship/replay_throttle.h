// Holds a replay of old samples to a rate: a token bucket of one second. Pure but for its own
// state; one thread; times are monotonic milliseconds.
#pragma once

#include <cstdint>

namespace binnacle::collect::ship {

class ReplayThrottle {
 public:
  explicit ReplayThrottle(double samples_per_second) : rate_(samples_per_second) {}

  // How long to wait before the next samples may go. `behind`: the oldest waits too long.
  // `incoming`: samples a second that come in; twice that is always let through.
  int64_t wait_ms(int64_t now_ms, bool behind, double incoming);
  void spent(uint64_t samples) { tokens_ -= static_cast<double>(samples); }

 private:
  const double rate_;  // 0: no bound
  double tokens_ = 0;
  int64_t filled_ms_ = 0;  // 0: not replaying
};

}  // namespace binnacle::collect::ship
