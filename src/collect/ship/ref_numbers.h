// Numbers references from 0 in order of their coming: open addressing, no memory beyond its table.
// One thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "model/appender.h"

namespace binnacle::collect::ship {

class RefNumbers {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // kNone when it has none. `ref` is not kNoSeries.
  uint32_t find(model::SeriesRef ref) const {
    if (slots_.empty()) return kNone;
    for (size_t at = place(ref);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].ref == ref) return slots_[at].number;
      if (slots_[at].ref == model::kNoSeries) return kNone;
    }
  }
  // The next number; `ref` has none yet.
  uint32_t add(model::SeriesRef ref);
  void clear();  // keeps the table
  uint32_t size() const { return size_; }

 private:
  struct Slot {
    model::SeriesRef ref = model::kNoSeries;
    uint32_t number = 0;
  };
  // Fibonacci hashing: refs of one store are dense in their low bits.
  size_t place(model::SeriesRef ref) const { return (ref * 0x9E3779B97F4A7C15) >> shift_; }
  void put(Slot slot);
  void grow();

  std::vector<Slot> slots_;  // a power of two of them, at most half full
  int shift_ = 64;
  uint32_t size_ = 0;
};

}  // namespace binnacle::collect::ship
