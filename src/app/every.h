// Work of a tick that is due less often than the tick. One thread.
#pragma once

#include <cstdint>

namespace binnacle::app {

class Every {
 public:
  explicit Every(int64_t interval_ms) : interval_ms_(interval_ms) {}
  bool due(int64_t now_ms) {
    if (now_ms < next_ms_) return false;
    next_ms_ = now_ms + interval_ms_;
    return true;
  }

 private:
  const int64_t interval_ms_;
  int64_t next_ms_ = 0;
};

}  // namespace binnacle::app
