#include "collect/ship/replay_throttle.h"

#include <algorithm>
#include <cmath>

namespace binnacle::collect::ship {

int64_t ReplayThrottle::wait_ms(int64_t now_ms, bool behind, double incoming) {
  if (rate_ <= 0 || !behind) {
    filled_ms_ = 0;
    return 0;
  }
  const double rate = std::max(rate_, 2 * incoming);
  if (filled_ms_ == 0) {
    tokens_ = rate;
  } else {
    tokens_ = std::min(rate, tokens_ + rate * static_cast<double>(now_ms - filled_ms_) / 1000);
  }
  filled_ms_ = now_ms;
  if (tokens_ > 0) return 0;
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(-tokens_ * 1000 / rate)));
}

}  // namespace binnacle::collect::ship
