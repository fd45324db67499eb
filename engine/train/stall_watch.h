// Whether steps still end. The trainer tells of each step that ended and of other work that is
// over; a thread of its own asks. A step that takes ten times the median of the last ones, and half
// a minute at least, is a stall. Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/mutex.h"
#include "engine/train/train_settings.h"

namespace binnacle::engine {

class StallWatch {
 public:
  StallWatch(const GuardSettings& settings, int64_t now_ms)
      : settings_(settings), alive_ms_(now_ms) {}

  void step_ended(int64_t now_ms, int64_t took_ms) EXCLUDES(mu_);
  void alive(int64_t now_ms) EXCLUDES(mu_);  // something other than a step is over

  // Since when nothing has ended, while that is too long.
  std::optional<int64_t> stalled_since(int64_t now_ms) const EXCLUDES(mu_);
  int64_t median_step_ms() const EXCLUDES(mu_);  // 0: no step yet

 private:
  int64_t median() const REQUIRES(mu_);

  const GuardSettings settings_;
  mutable Mutex mu_;
  std::deque<int64_t> took_ms_ GUARDED_BY(mu_);
  int64_t alive_ms_ GUARDED_BY(mu_);
};

}  // namespace binnacle::engine
