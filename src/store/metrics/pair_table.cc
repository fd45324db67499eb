#include "store/metrics/pair_table.h"

#include <xxhash.h>

#include <cstring>

#include "base/check.h"

namespace binnacle::store::metrics {
namespace {

constexpr size_t kFirstSlots = 1024;  // a power of two, as all sizes

size_t hash_of(std::string_view packed) { return XXH3_64bits(packed.data(), packed.size()); }

}  // namespace

PairTable::PairTable()
    : pages_(std::make_unique<std::atomic<Page*>[]>(kMaxPages)), slots_(kFirstSlots, kNone) {}

PairTable::~PairTable() {
  for (size_t i = 0; i < kMaxPages; ++i) delete pages_[i].load();
}

std::string_view PairTable::bytes(PairId id) const {
  const Entry& found = entry(id);
  return {found.bytes.get(), found.size};
}

size_t PairTable::slot_of(std::string_view packed) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = hash_of(packed) & mask;
  while (slots_[slot] != kNone && bytes(slots_[slot]) != packed) slot = (slot + 1) & mask;
  return slot;
}

PairId PairTable::find(std::string_view packed) const { return slots_[slot_of(packed)]; }

PairId PairTable::intern(std::string_view packed) {
  size_t slot = slot_of(packed);
  if (slots_[slot] != kNone) return slots_[slot];
  if ((count_ + 1) * 4 > slots_.size() * 3) {
    grow();
    slot = slot_of(packed);
  }
  PairId id = next_;
  if (!free_.empty()) {
    id = free_.back();
    free_.pop_back();
  } else {
    CHECK(next_ < kMaxPages * kPageEntries);
    if (next_ % kPageEntries == 0) pages_[next_ / kPageEntries].store(new Page());
    ++next_;
  }
  Entry& made = entry(id);
  made.bytes = std::make_unique_for_overwrite<char[]>(packed.size());
  made.size = static_cast<uint32_t>(packed.size());
  std::memcpy(made.bytes.get(), packed.data(), packed.size());
  bytes_ += packed.size();
  ++count_;
  slots_[slot] = id;
  return id;
}

// Takes the entry out of the slots by moving back what was pushed behind it (Knuth 6.4, algorithm
// R), so that no tombstones pile up.
void PairTable::release(PairId id) {
  const size_t mask = slots_.size() - 1;
  size_t hole = slot_of(bytes(id));
  CHECK(slots_[hole] == id);
  for (size_t at = (hole + 1) & mask; slots_[at] != kNone; at = (at + 1) & mask) {
    const size_t home = hash_of(bytes(slots_[at])) & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = kNone;
  Entry& gone = entry(id);
  bytes_ -= gone.size;
  gone = {};
  --count_;
  free_.push_back(id);
}

void PairTable::grow() {
  std::vector<PairId> old(slots_.size() * 2, kNone);
  old.swap(slots_);
  for (const PairId id : old) {
    if (id != kNone) slots_[slot_of(bytes(id))] = id;
  }
}

size_t PairTable::memory_bytes() const {
  return bytes_ + count_ * sizeof(Entry) + slots_.size() * sizeof(PairId);
}

}  // namespace binnacle::store::metrics
