// Experts paged from disk: copies of the last used ones within a number of bytes, so that a model
// whose experts do not fit in memory runs in what there is. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "engine/model/layer_weights.h"

namespace binnacle::engine {

class ExpertCache {
 public:
  explicit ExpertCache(int64_t bytes) : bytes_(bytes) {}

  // The expert of that layer of the range, copied from the mapped file when it is not here. Valid
  // until the next get(). An expert larger than the whole cache is a programmer's error.
  const FeedForward& get(int32_t layer, int32_t expert, const FeedForward& mapped);

  int64_t hits() const { return hits_; }
  int64_t misses() const { return misses_; }
  int64_t bytes_held() const { return held_; }

 private:
  struct Entry {
    uint64_t key = 0;
    FeedForward weights;
    std::vector<std::byte> memory;
  };

  const int64_t bytes_;
  int64_t held_ = 0;
  int64_t hits_ = 0;
  int64_t misses_ = 0;
  std::list<Entry> entries_;  // the last used first
  std::unordered_map<uint64_t, std::list<Entry>::iterator> by_key_;
};

}  // namespace binnacle::engine
