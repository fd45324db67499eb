#include "store/access/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace binnacle::store::access {

TokenBuckets::TokenBuckets(RateLimit limit, size_t max_keys) : limit_(limit), buckets_(max_keys) {
  CHECK(limit.per_second >= 0);
  CHECK(limit.per_second == 0 || limit.burst >= 1);
}

int64_t TokenBuckets::take(int64_t now_ms, std::string_view key) {
  if (limit_.per_second == 0) return 0;
  Bucket& bucket = buckets_.find_or_add(key, Bucket{.tokens = limit_.burst, .filled_ms = now_ms});
  const int64_t elapsed_ms = std::max<int64_t>(0, now_ms - bucket.filled_ms);
  bucket.tokens = std::min(
      limit_.burst, bucket.tokens + static_cast<double>(elapsed_ms) * limit_.per_second / 1000);
  bucket.filled_ms = std::max(bucket.filled_ms, now_ms);
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return 0;
  }
  return static_cast<int64_t>(std::ceil((1 - bucket.tokens) * 1000 / limit_.per_second));
}

}  // namespace binnacle::store::access
