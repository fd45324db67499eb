// Long value columns of blocks as they were decoded, those that queries read again and again: the
// panels of a dashboard read the same hours at each refresh. A column comes in when it is read for
// the second time, so that one long query does not push out what others need; the least recently
// used go first. Bounded by storage.column_cache_bytes. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "store/metrics/read_cache.h"

namespace binnacle::store::metrics {

class ColumnCache {
 public:
  using Column = std::shared_ptr<const std::vector<double>>;
  // Shorter ones are decoded about as quickly as they are found.
  static constexpr size_t kFewestSamples = 128;

  // 0: none is kept.
  explicit ColumnCache(size_t max_bytes) { set_max_bytes(max_bytes); }
  void set_max_bytes(size_t max_bytes);

  struct Found {
    Column column;        // null: not there
    bool wanted = false;  // it was asked for before: put() it
  };
  Found find(const CacheKey& key);
  void put(const CacheKey& key, Column column);
  size_t bytes() const;

 private:
  static constexpr size_t kShards = 8;
  static constexpr size_t kAsked = 1024;
  using Asked = std::array<uint32_t, 4>;  // hashes, the newest first
  struct Shard {
    mutable Mutex mu;
    ReadCache columns GUARDED_BY(mu){0};
    // What was asked for of late, in the place that its hash says.
    std::array<Asked, kAsked> asked GUARDED_BY(mu){};
  };
  Shard& shard_of(uint64_t hash) { return shards_[hash % kShards]; }

  std::atomic<size_t> max_bytes_ = 0;
  std::array<Shard, kShards> shards_;
};

}  // namespace binnacle::store::metrics
