// Token buckets: each key (a client's address) may do `burst` things at once and `per_second` in
// the long run. Pure: the time is handed in. One thread at a time.
#pragma once

#include "store/access/recent_table.h"

#include <cstdint>
#include <string_view>

namespace binnacle::store::access {

struct RateLimit {
  double per_second = 0;  // 0: no limit
  double burst = 0;       // at least 1 where there is a limit
};

class TokenBuckets {
 public:
  TokenBuckets(RateLimit limit, size_t max_keys);

  // 0: taken. Otherwise nothing was taken and one is there after so many milliseconds. `now_ms`
  // monotonic.
  int64_t take(int64_t now_ms, std::string_view key);

  size_t size() const { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens = 0;
    int64_t filled_ms = 0;
  };

  const RateLimit limit_;
  RecentTable<Bucket> buckets_;
};

}  // namespace binnacle::store::access
