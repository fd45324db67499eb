#include "collect/receive/series_cache.h"

#include <xxhash.h>

#include <atomic>

#include "base/check.h"

namespace binnacle::collect::receive {
namespace {

constexpr uint64_t kLowByte = 0xff;
constexpr uint32_t kLeastCapacity = 12;

// Lemire's multiply-shift: even over 0 .. capacity - 1 for even 64 bits, any capacity.
uint32_t scaled(uint64_t place, uint32_t capacity) {
  return static_cast<uint32_t>((static_cast<unsigned __int128>(place) * capacity) >> 64);
}

// Readers renew a slot's generation beside each other; all write the same value.
uint64_t read_shared(uint64_t& word) {
  return std::atomic_ref(word).load(std::memory_order_relaxed);
}

}  // namespace

SeriesCache::SeriesCache(size_t max_series, Random& random)
    : shards_(kShards), max_series_(max_series) {
  static_assert(kSecretBytes >= XXH3_SECRET_SIZE_MIN);
  random.fill(secret_);
}

SeriesKey SeriesCache::key_of(std::string_view label_bytes) const {
  const XXH128_hash_t hash = XXH3_128bits_withSecret(label_bytes.data(), label_bytes.size(),
                                                     secret_.data(), secret_.size());
  return {hash.high64, hash.low64};
}

// The slot that has the key, or the empty one where it would go; a shard is never full.
SeriesCache::Slot* SeriesCache::seek(const Shard& shard, SeriesKey key) {
  uint32_t at = scaled(key.place, shard.capacity);
  for (;;) {
    Slot& slot = shard.slots[at];
    const uint64_t rest = read_shared(slot.rest_and_generation);
    if ((rest & kLowByte) == 0) return &slot;
    if (slot.place == key.place && (rest & ~kLowByte) == (key.rest & ~kLowByte)) return &slot;
    if (++at == shard.capacity) at = 0;
  }
}

void SeriesCache::find(std::span<const std::string_view> label_bytes, std::span<SeriesKey> keys,
                       std::span<model::SeriesRef> refs) {
  CHECK(label_bytes.size() == keys.size() && keys.size() == refs.size());
  ReaderLock lock(mu_);
  for (size_t i = 0; i < keys.size(); ++i) {
    const SeriesKey key = keys[i] = key_of(label_bytes[i]);
    const Shard& shard = shards_[key.rest & kLowByte];
    if (shard.capacity != 0) __builtin_prefetch(&shard.slots[scaled(key.place, shard.capacity)]);
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    refs[i] = model::kNoSeries;
    const Shard& shard = shards_[keys[i].rest & kLowByte];
    if (shard.capacity == 0) continue;
    Slot& slot = *seek(shard, keys[i]);
    const uint64_t rest = read_shared(slot.rest_and_generation);
    if ((rest & kLowByte) == 0) continue;
    refs[i] = slot.ref;
    if ((rest & kLowByte) == generation_) continue;
    std::atomic_ref(slot.rest_and_generation)
        .store((rest & ~kLowByte) | generation_, std::memory_order_relaxed);
  }
}

void SeriesCache::insert(SeriesKey key, model::SeriesRef ref) {
  WriterLock lock(mu_);
  Shard& shard = shards_[key.rest & kLowByte];
  // One more must leave an eighth of the shard empty.
  if ((shard.used + 1) * 8 > shard.capacity * 7) rebuild(shard, roomier(shard.used));
  Slot& slot = *seek(shard, key);
  if ((slot.rest_and_generation & kLowByte) == 0) {
    if (size_ >= max_series_) return;
    ++size_;
    ++shard.used;
  }
  slot = {key.place, (key.rest & ~kLowByte) | generation_, ref};
}

uint32_t SeriesCache::roomier(uint32_t used) {
  const uint32_t needed = used + used / 2 + 1;  // full to two thirds
  return needed < kLeastCapacity ? kLeastCapacity : needed;
}

void SeriesCache::rebuild(Shard& shard, uint32_t capacity) {
  Shard next{std::make_unique<Slot[]>(capacity), capacity, 0};
  for (uint32_t i = 0; i < shard.capacity; ++i) {
    const Slot& slot = shard.slots[i];
    if ((slot.rest_and_generation & kLowByte) == 0) continue;
    *seek(next, {slot.place, slot.rest_and_generation}) = slot;
    ++next.used;
  }
  shard = std::move(next);
}

bool SeriesCache::is_old(const Slot& slot) const {
  // Generations run from 1 to 255 in a circle.
  const int age = generation_ - static_cast<int>(slot.rest_and_generation & kLowByte);
  return (age < 0 ? age + 255 : age) >= kKeptGenerations;
}

void SeriesCache::drop_old(Shard& shard) {
  uint32_t dropped = 0;
  for (uint32_t i = 0; i < shard.capacity; ++i) {
    Slot& slot = shard.slots[i];
    if ((slot.rest_and_generation & kLowByte) == 0 || !is_old(slot)) continue;
    slot = {};
    ++dropped;
  }
  if (dropped == 0) return;
  size_ -= dropped;
  // The holes would cut probe sequences short.
  const uint32_t left = shard.used - dropped;
  if (left == 0) {
    shard = {};
  } else {
    rebuild(shard, roomier(left));
  }
}

void SeriesCache::age() {
  {
    WriterLock lock(mu_);
    generation_ = generation_ == 255 ? 1 : static_cast<uint8_t>(generation_ + 1);
  }
  for (size_t i = 0; i < kShards; ++i) {
    WriterLock lock(mu_);
    drop_old(shards_[i]);
  }
}

void SeriesCache::set_max_series(size_t max_series) {
  WriterLock lock(mu_);
  max_series_ = max_series;
}

size_t SeriesCache::size() const {
  ReaderLock lock(mu_);
  return size_;
}

size_t SeriesCache::memory_bytes() const {
  ReaderLock lock(mu_);
  size_t bytes = shards_.size() * sizeof(Shard);
  for (const Shard& shard : shards_) bytes += shard.capacity * sizeof(Slot);
  return bytes;
}

}  // namespace binnacle::collect::receive
