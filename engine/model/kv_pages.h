// Which pages of the KV cache belong to which sequence, and the check of a step against them. Pages
// hold kPagePositions positions; their number is fixed, so that the cache is bounded whatever
// comes. Holds no keys or values itself. One thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "engine/model/forward.h"

namespace binnacle::engine {

class KvPages {
 public:
  static constexpr int32_t kPagePositions = 16;

  struct Sequence {
    int32_t positions = 0;
    std::vector<int32_t> pages;  // position p lies in pages[p / kPagePositions]
  };

  // Room for `positions`, rounded up to whole pages; sequences no longer than `max_positions`.
  KvPages(int64_t positions, int32_t max_positions);

  // Afterwards every slice's sequence holds its positions up to the slice's last. An error changes
  // nothing: kInvalidArgument (two slices of one sequence, no rows, beyond max_positions),
  // kFailedPrecondition (a gap), kResourceExhausted (not enough pages).
  Status prepare(std::span<const Slice> slices);
  // Of a step that failed after prepare(): its sequences hold what stood before their slices.
  void undo(std::span<const Slice> slices);
  void release(SequenceId sequence);

  const Sequence& at(SequenceId sequence) const;  // it must be there
  KvUsage usage() const;                          // bytes left at 0
  int64_t pages() const { return pages_; }

 private:
  Status check(const Slice& slice) const;
  void truncate(Sequence& sequence, int32_t positions);

  // Fixed after construction.
  const int64_t pages_;
  const int32_t max_positions_;

  std::vector<int32_t> free_;
  int32_t never_used_ = 0;  // pages from here on have not been handed out yet
  std::unordered_map<SequenceId, Sequence> sequences_;
};

}  // namespace binnacle::engine
