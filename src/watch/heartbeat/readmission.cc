#include "watch/heartbeat/readmission.h"

#include <algorithm>

namespace binnacle::watch::heartbeat {

// Each quiet time takes one doubling back.
void Readmission::calm(int64_t now_ms, const ReadmissionOptions& options) {
  const int64_t quiet = (now_ms - since_ms_) / std::max<int64_t>(options.quiet_ms, 1);
  downs_ -= static_cast<uint32_t>(std::min<int64_t>(quiet, downs_));
}

void Readmission::went_down(int64_t now_ms, const ReadmissionOptions& options) {
  calm(now_ms, options);
  ++downs_;
  since_ms_ = now_ms;
}

int64_t Readmission::wait_ms(const ReadmissionOptions& options) const {
  if (downs_ < 2) return 0;
  int64_t wait = options.first_ms;
  for (uint32_t i = 2; i < downs_ && wait < options.longest_ms; ++i) wait *= 2;
  return std::min(wait, options.longest_ms);
}

bool FlapCount::changed(int64_t now_ms, const FlapOptions& options) {
  while (!times_.empty() && now_ms - times_.front() > options.window_ms) times_.pop_front();
  times_.push_back(now_ms);
  if (times_.size() > size_t{options.changes} * 2) times_.pop_front();
  // Half of what made it flap ends it, so that it does not begin anew with each change.
  flapping_ = times_.size() > (flapping_ ? options.changes / 2 : options.changes);
  return flapping_;
}

}  // namespace binnacle::watch::heartbeat
