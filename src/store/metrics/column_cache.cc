#include "store/metrics/column_cache.h"

#include <algorithm>
#include <utility>

namespace binnacle::store::metrics {

void ColumnCache::set_max_bytes(size_t max_bytes) {
  max_bytes_ = max_bytes;
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mu);
    shard.columns.set_max_bytes(max_bytes / kShards);
  }
}

ColumnCache::Found ColumnCache::find(const CacheKey& key) {
  if (max_bytes_.load(std::memory_order_relaxed) == 0) return {};
  const uint64_t hash = hash_of(key);
  Shard& shard = shard_of(hash);
  MutexLock lock(shard.mu);
  if (auto column = shard.columns.find<std::vector<double>>(key)) return {std::move(column), false};
  Asked& asked = shard.asked[(hash >> 8) % kAsked];
  const auto mark = static_cast<uint32_t>(hash >> 32);
  const auto before = std::ranges::find(asked, mark);
  const bool wanted = before != asked.end();
  std::move_backward(asked.begin(), wanted ? before : asked.end() - 1,
                     wanted ? before + 1 : asked.end());
  asked[0] = mark;
  return {nullptr, wanted};
}

void ColumnCache::put(const CacheKey& key, Column column) {
  const size_t bytes = column->size() * sizeof(double);
  Shard& shard = shard_of(hash_of(key));
  MutexLock lock(shard.mu);
  shard.columns.put(key, std::move(column), bytes);
}

size_t ColumnCache::bytes() const {
  size_t all = 0;
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mu);
    all += shard.columns.bytes();
  }
  return all;
}

}  // namespace binnacle::store::metrics
