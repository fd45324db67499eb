// Keys and values of every position that a range of layers has seen, in fp32, page by page as
// KvPages hands them out. A page's memory is taken when it is first used and kept. Within a page
// keys lie position by position under each number of the head, so that sixteen scores are summed
// side by side; values lie head by head. One thread writes; many may read between writes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/model/aligned_floats.h"
#include "engine/model/kv_pages.h"
#include "engine/model/model_config.h"

namespace binnacle::engine {

class KvCache {
 public:
  KvCache(const ModelConfig& config, LayerRange layers, int64_t positions);

  KvPages& pages() { return pages_; }
  KvUsage usage() const;

  // After KvPages::prepare(): memory for every page of the sequence.
  void hold(const KvPages::Sequence& sequence);
  // Layer of the range; `key` and `value` are kv_heads x head_size.
  void write(int32_t layer, const KvPages::Sequence& sequence, int32_t position, const float* key,
             const float* value);
  const float* keys(int32_t layer, int32_t kv_head, int32_t page) const;
  const float* values(int32_t layer, int32_t kv_head, int32_t page) const;
  int32_t value_stride() const { return value_stride_; }

 private:
  int64_t head_floats() const;
  int64_t offset(int32_t layer, int32_t kv_head) const;

  // Fixed after construction.
  const int32_t layers_;
  const int32_t kv_heads_;
  const int32_t head_size_;
  const int32_t value_stride_;

  KvPages pages_;
  std::vector<AlignedFloats> memory_;  // by page; empty: never used
  int64_t pages_held_ = 0;
};

}  // namespace binnacle::engine
