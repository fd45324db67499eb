#include "collect/scrape/scrape_schedule.h"

#include <algorithm>

namespace binnacle::collect::scrape {
namespace {

constexpr int64_t kToleranceMs = 2;

}  // namespace

ScrapeSchedule::ScrapeSchedule(int64_t interval_ms, uint64_t identity, const Clock& clock)
    : interval_ms_(interval_ms), clock_(clock) {
  const auto offset = static_cast<int64_t>(identity % static_cast<uint64_t>(interval_ms));
  const int64_t now = clock.wall_ms();
  due_ms_ = clock.monotonic_ms() + (interval_ms - now % interval_ms + offset) % interval_ms;
}

int64_t ScrapeSchedule::wait_ms() const {
  return std::max<int64_t>(0, due_ms_ - clock_.monotonic_ms());
}

int64_t ScrapeSchedule::begin() {
  const int64_t now = clock_.wall_ms();
  if (aligned_ms_ == 0) aligned_ms_ = now;
  if (now - aligned_ms_ >= interval_ms_)
    aligned_ms_ += (now - aligned_ms_) / interval_ms_ * interval_ms_;
  const int64_t late = now - aligned_ms_;
  const bool in_time = late <= std::min(interval_ms_ / 100, kToleranceMs);
  return in_time ? aligned_ms_ : now;
}

uint64_t ScrapeSchedule::next() {
  due_ms_ += interval_ms_;
  const int64_t behind = clock_.monotonic_ms() - due_ms_;
  if (behind <= 0) return 0;
  const int64_t missed = behind / interval_ms_;
  due_ms_ += missed * interval_ms_;
  return static_cast<uint64_t>(missed);
}

}  // namespace binnacle::collect::scrape
