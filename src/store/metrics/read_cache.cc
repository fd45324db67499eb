#include "store/metrics/read_cache.h"

#include <atomic>

namespace binnacle::store::metrics {
namespace {

// Holds a histogram's chain of 32 long chunks (1 MiB) and a few dozen pages of an index.
constexpr size_t kMaxBytes = size_t{4} << 20;

}  // namespace

uint64_t hash_of(const CacheKey& key) {
  uint64_t h = key.number * 0x9E3779B97F4A7C15u;
  h ^= (key.block * 8 + static_cast<uint64_t>(key.kind)) * 0xC2B2AE3D27D4EB4Fu;
  h = (h ^ (h >> 32)) * 0x9E3779B97F4A7C15u;  // numbers may differ in their high bits alone
  return h ^ (h >> 32);
}

void ReadCache::put(const CacheKey& key, std::shared_ptr<const void> what, size_t bytes) {
  if (bytes > max_bytes_ || by_key_.contains(key)) return;
  entries_.push_front({key, std::move(what), bytes});
  by_key_.emplace(key, entries_.begin());
  bytes_ += bytes;
  shrink();
}

void ReadCache::set_max_bytes(size_t max_bytes) {
  max_bytes_ = max_bytes;
  shrink();
}

void ReadCache::shrink() {
  while (bytes_ > max_bytes_) {
    bytes_ -= entries_.back().bytes;
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

std::shared_ptr<const void> ReadCache::find_any(const CacheKey& key) {
  const auto it = by_key_.find(key);
  if (it == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, it->second);
  return it->second->what;
}

ReadCache& thread_read_cache() {
  thread_local ReadCache cache(kMaxBytes);
  return cache;
}

uint64_t next_cache_owner() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace binnacle::store::metrics
