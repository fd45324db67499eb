// What spares a known series its labels: the raw label bytes of a TimeSeries, hashed, give the
// store's reference. XXH3 of 128 bits under a secret of this process stands for the bytes, which
// are not kept: two label sets that meet in all 128 bits would become one series, which by chance
// takes some 10^18 series, and on purpose takes the secret. Any thread; lookups share a lock, a new
// series takes it alone.
//
// A table of 256 shards with open addressing, 24 bytes a slot, filled to between 2/3 and 7/8: 27 to
// 37 bytes a series. What was not used for kKeptGenerations generations is dropped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "model/appender.h"

namespace binnacle::collect::receive {

struct SeriesKey {
  uint64_t place = 0;  // where in its shard
  uint64_t rest = 0;   // the low 8 bits name the shard
};

class SeriesCache {
 public:
  static constexpr uint8_t kKeptGenerations = 3;

  SeriesCache(size_t max_series, Random& random);

  SeriesKey key_of(std::string_view label_bytes) const;

  // keys[i] becomes the key of label_bytes[i], refs[i] its reference or kNoSeries. As many of each;
  // the memory of one is fetched while others are hashed, so some 64 at once are best.
  void find(std::span<const std::string_view> label_bytes, std::span<SeriesKey> keys,
            std::span<model::SeriesRef> refs) EXCLUDES(mu_);
  // Replaces what was there. A full cache stays as it is: the series is looked up by its labels.
  void insert(SeriesKey key, model::SeriesRef ref) EXCLUDES(mu_);
  // Ends a generation. Locks out the others for one shard at a time.
  void age() EXCLUDES(mu_);

  void set_max_series(size_t max_series) EXCLUDES(mu_);
  size_t size() const EXCLUDES(mu_);
  size_t memory_bytes() const EXCLUDES(mu_);

 private:
  static constexpr size_t kShards = 256;
  static constexpr size_t kSecretBytes = 192;  // XXH3's own length

  // The shard is known from the table, so its 8 bits of the key make room for the generation; 0
  // there is an empty slot.
  struct Slot {
    uint64_t place = 0;
    uint64_t rest_and_generation = 0;
    model::SeriesRef ref = model::kNoSeries;
  };
  struct Shard {
    std::unique_ptr<Slot[]> slots;
    uint32_t capacity = 0;
    uint32_t used = 0;
  };

  static Slot* seek(const Shard& shard, SeriesKey key);
  static void rebuild(Shard& shard, uint32_t capacity);
  static uint32_t roomier(uint32_t used);
  bool is_old(const Slot& slot) const REQUIRES(mu_);
  void drop_old(Shard& shard) REQUIRES(mu_);

  std::array<char, kSecretBytes> secret_{};  // Fixed after construction.

  mutable SharedMutex mu_;
  std::vector<Shard> shards_ GUARDED_BY(mu_);
  uint8_t generation_ GUARDED_BY(mu_) = 1;  // 1 .. 255, then 1 again
  size_t size_ GUARDED_BY(mu_) = 0;
  size_t max_series_ GUARDED_BY(mu_);
};

}  // namespace binnacle::collect::receive
