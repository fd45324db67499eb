// How long to wait before the next attempt: doubled each time up to a longest, shortened at random
// by up to a half, so that a thousand agents whose server came back do not come as one. One thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/random.h"

namespace binnacle::link {

class BackOff {
 public:
  BackOff(Random& random, int64_t first_ms, int64_t longest_ms)
      : random_(random), first_ms_(first_ms), longest_ms_(longest_ms), next_ms_(first_ms) {}

  // At least half of `least_ms`, which the attempts after also count from.
  int64_t next_ms(int64_t least_ms = 0) {
    const int64_t whole = std::min(longest_ms_, std::max(next_ms_, least_ms));
    next_ms_ = std::min(longest_ms_, 2 * whole);
    return whole - static_cast<int64_t>(random_.unit() * static_cast<double>(whole) / 2);
  }
  void reset() { next_ms_ = first_ms_; }

 private:
  Random& random_;
  const int64_t first_ms_;
  const int64_t longest_ms_;
  int64_t next_ms_;
};

}  // namespace binnacle::link
