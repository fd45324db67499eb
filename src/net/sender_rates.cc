#include "net/sender_rates.h"

#include <algorithm>

namespace binnacle::net {

double SenderRates::filled(const Bucket& bucket, int64_t now_ns) const {
  constexpr double kNsPerSecond = 1e9;
  const double seconds = static_cast<double>(now_ns - bucket.at_ns) / kNsPerSecond;
  return std::min(burst_, bucket.tokens + seconds * per_second_);
}

bool SenderRates::take(const std::string& sender, int64_t now_ns) {
  auto it = buckets_.find(sender);
  if (it == buckets_.end()) {
    if (buckets_.size() >= max_senders_) {
      // A full bucket says no more than none.
      std::erase_if(buckets_,
                    [&](const auto& entry) { return filled(entry.second, now_ns) >= burst_; });
    }
    if (buckets_.size() >= max_senders_) return false;
    it = buckets_.emplace(sender, Bucket{burst_, now_ns}).first;
  }
  Bucket& bucket = it->second;
  bucket.tokens = filled(bucket, now_ns);
  bucket.at_ns = now_ns;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

}  // namespace binnacle::net
