#include "collect/ship/ref_numbers.h"

#include <bit>

namespace binnacle::collect::ship {

uint32_t RefNumbers::add(model::SeriesRef ref) {
  if ((size_ + 1) * size_t{2} > slots_.size()) grow();
  put({ref, size_});
  return size_++;
}

void RefNumbers::clear() {
  slots_.assign(slots_.size(), {});
  size_ = 0;
}

void RefNumbers::put(Slot slot) {
  size_t at = place(slot.ref);
  while (slots_[at].ref != model::kNoSeries) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = slot;
}

void RefNumbers::grow() {
  constexpr size_t kFewest = 256;
  std::vector<Slot> old(std::max(kFewest, slots_.size() * 2));
  old.swap(slots_);
  shift_ = 64 - std::countr_zero(slots_.size());
  for (const Slot& slot : old) {
    if (slot.ref != model::kNoSeries) put(slot);
  }
}

}  // namespace binnacle::collect::ship
