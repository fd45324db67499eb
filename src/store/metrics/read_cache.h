// What a thread unpacked last from blocks: pages and columns, the least recently used dropped
// first. One per thread, bounded, so that reading series in order unpacks each page once without
// locks. It holds copies, never views of a block: a closed block's entries just age out.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

namespace binnacle::store::metrics {

enum class CachedKind : uint8_t {
  kSeriesPage,
  kTimesPage,
  kValuesPage,
  kPackedValues,
  kPostingsPage,
  kColumnPage,
  kTimeColumn,
  kValueColumn,
};

struct CacheKey {
  uint64_t block = 0;  // of next_cache_owner()
  CachedKind kind = CachedKind::kSeriesPage;
  uint64_t number = 0;
  friend bool operator==(const CacheKey&, const CacheKey&) = default;
};

uint64_t hash_of(const CacheKey& key);

class ReadCache {
 public:
  explicit ReadCache(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Null when it is not there. T must be what was put in under this kind.
  template <typename T>
  std::shared_ptr<const T> find(const CacheKey& key) {
    return std::static_pointer_cast<const T>(find_any(key));
  }
  void put(const CacheKey& key, std::shared_ptr<const void> what, size_t bytes);
  void set_max_bytes(size_t max_bytes);
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    CacheKey key;
    std::shared_ptr<const void> what;
    size_t bytes = 0;
  };
  struct Hash {
    size_t operator()(const CacheKey& key) const { return hash_of(key); }
  };
  std::shared_ptr<const void> find_any(const CacheKey& key);
  void shrink();

  size_t max_bytes_;
  size_t bytes_ = 0;
  std::list<Entry> entries_;  // the most recently used first
  std::unordered_map<CacheKey, std::list<Entry>::iterator, Hash> by_key_;
};

ReadCache& thread_read_cache();
uint64_t next_cache_owner();  // unique in this process

}  // namespace binnacle::store::metrics
