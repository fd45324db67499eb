// When a target is scraped: once an interval, at an offset that its identity gives, so that targets
// spread over the interval and keep their place over restarts. Wall time sets the first scrape,
// monotonic time all that follow. One thread. Source: Prometheus, scrape/target.go and scrape.go.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace binnacle::collect::scrape {

class ScrapeSchedule {
 public:
  ScrapeSchedule(int64_t interval_ms, uint64_t identity, const Clock& clock);

  int64_t wait_ms() const;  // until the next scrape; 0 when it is due
  // The scrape is due: the time of its samples. A start that is late by less than a hundredth of
  // the interval and 2 ms counts as in time, so that the times of samples are even.
  int64_t begin();
  // The next scrape is the first one that is not over; how many were.
  uint64_t next();

 private:
  // Fixed after construction
  const int64_t interval_ms_;
  const Clock& clock_;

  int64_t due_ms_;          // monotonic
  int64_t aligned_ms_ = 0;  // wall; 0: not begun
};

}  // namespace binnacle::collect::scrape
