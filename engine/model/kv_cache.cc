#include "engine/model/kv_cache.h"

#include "engine/model/lanes.h"

namespace binnacle::engine {

KvCache::KvCache(const ModelConfig& config, LayerRange layers, int64_t positions)
    : layers_(layers.size()),
      kv_heads_(config.kv_heads),
      head_size_(config.head_size),
      value_stride_((config.head_size + kLanes - 1) / kLanes * kLanes),
      pages_(positions, config.max_positions),
      memory_(static_cast<size_t>(pages_.pages())) {}

int64_t KvCache::head_floats() const {
  return int64_t{KvPages::kPagePositions} * (head_size_ + value_stride_);
}

int64_t KvCache::offset(int32_t layer, int32_t kv_head) const {
  return (int64_t{layer} * kv_heads_ + kv_head) * head_floats();
}

KvUsage KvCache::usage() const {
  KvUsage usage = pages_.usage();
  usage.bytes = pages_held_ * offset(layers_, 0) * int64_t{sizeof(float)};
  return usage;
}

void KvCache::hold(const KvPages::Sequence& sequence) {
  for (const int32_t page : sequence.pages) {
    AlignedFloats& memory = memory_[static_cast<size_t>(page)];
    if (!memory.empty()) continue;
    memory = AlignedFloats(offset(layers_, 0));
    ++pages_held_;
  }
}

void KvCache::write(int32_t layer, const KvPages::Sequence& sequence, int32_t position,
                    const float* key, const float* value) {
  const int32_t slot = position % KvPages::kPagePositions;
  const int32_t page = sequence.pages[static_cast<size_t>(position / KvPages::kPagePositions)];
  float* to = memory_[static_cast<size_t>(page)].data() + offset(layer, 0);
  for (int32_t head = 0; head < kv_heads_; ++head, to += head_floats()) {
    float* keys_to = to + slot;
    float* values_to = to + head_size_ * KvPages::kPagePositions + slot * value_stride_;
    for (int32_t i = 0; i < head_size_; ++i) {
      keys_to[i * KvPages::kPagePositions] = key[head * head_size_ + i];
      values_to[i] = value[head * head_size_ + i];
    }
  }
}

const float* KvCache::keys(int32_t layer, int32_t kv_head, int32_t page) const {
  return memory_[static_cast<size_t>(page)].data() + offset(layer, kv_head);
}

const float* KvCache::values(int32_t layer, int32_t kv_head, int32_t page) const {
  return keys(layer, kv_head, page) + head_size_ * KvPages::kPagePositions;
}

}  // namespace binnacle::engine
