#include "engine/model/expert_cache.h"

#include <cstring>

#include "base/check.h"

namespace binnacle::engine {
namespace {

void copy(Matrix& matrix, std::byte*& to) {
  std::memcpy(to, matrix.weights, static_cast<size_t>(matrix.bytes()));
  matrix.weights = to;
  to += matrix.bytes();
}

}  // namespace

const FeedForward& ExpertCache::get(int32_t layer, int32_t expert, const FeedForward& mapped) {
  const uint64_t key = uint64_t{static_cast<uint32_t>(layer)} << 32 | static_cast<uint32_t>(expert);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    ++hits_;
    entries_.splice(entries_.begin(), entries_, found->second);
    return entries_.front().weights;
  }
  ++misses_;
  CHECK(mapped.bytes() <= bytes_);
  std::vector<std::byte> memory;  // the last one's, where it has the size
  while (held_ + mapped.bytes() > bytes_) {
    Entry& last = entries_.back();
    held_ -= last.weights.bytes();
    memory = std::move(last.memory);
    by_key_.erase(last.key);
    entries_.pop_back();
  }
  memory.resize(static_cast<size_t>(mapped.bytes()));
  Entry& entry = entries_.emplace_front(Entry{key, mapped, std::move(memory)});
  std::byte* to = entry.memory.data();
  copy(entry.weights.gate, to);
  copy(entry.weights.up, to);
  copy(entry.weights.down, to);
  held_ += mapped.bytes();
  by_key_[key] = entries_.begin();
  return entry.weights;
}

}  // namespace binnacle::engine
