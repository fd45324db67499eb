// What the metric store takes and what it refuses. Plain values; each is a key of the
// configuration (storage.*).
#pragma once

#include <cstddef>
#include <cstdint>

namespace binnacle::store::metrics {

struct StoreLimits {
  int64_t late_limit_ms = 24 * 3'600'000LL;  // older than that: refused
  int64_t out_of_order_ms = 3'600'000;       // behind the newest sample of its series
  int64_t max_ahead_ms = 600'000;            // in the future
  bool last_value_wins = false;              // else another value at a time that has one is refused

  size_t max_series = 10'000'000;
  // Of the head's series and samples; new series are refused beyond. Looked at every few seconds.
  uint64_t max_head_bytes = uint64_t{4} << 30;
  size_t max_series_per_metric = 0;    // of one metric name; 0: no limit, as the next two
  size_t max_series_per_job = 0;       // of one value of `job`
  size_t max_series_per_instance = 0;  // of one value of `instance`
};

}  // namespace binnacle::store::metrics
