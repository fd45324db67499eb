// Byte-pair encoding of one piece of text: of all neighbours that have a merge the one of the
// lowest rank is merged, the leftmost of equals, until none is left (Sennrich, Haddow and Birch
// 2016). A heap over a linked list, so that a piece of n symbols takes n log n steps. Immutable
// once built; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace binnacle::engine {

class BpeMerger {
 public:
  // Merges come in the order of their ranks. Of a pair that comes twice the later one counts, as
  // elsewhere.
  void add(int32_t left, int32_t right, int32_t merged);
  size_t size() const { return merges_.size(); }

  // Merges `tokens` in place.
  void merge(std::vector<int32_t>& tokens) const;

 private:
  struct Merge {
    int32_t rank;
    int32_t merged;
  };

  const Merge* find(int32_t left, int32_t right) const;

  std::unordered_map<uint64_t, Merge> merges_;  // by both ids
  int32_t next_rank_ = 0;
};

}  // namespace binnacle::engine
