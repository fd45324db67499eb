#include "collect/scrape/series_slots.h"

#include <xxhash.h>

#include <utility>

namespace binnacle::collect::scrape {
namespace {

constexpr size_t kLeastCapacity = 64;

XXH128_hash_t hash_of(std::string_view series) {
  return XXH3_128bits(series.data(), series.size());
}

}  // namespace

uint32_t SeriesSlots::guess(std::string_view rest) {
  const uint32_t at = last_ == kNone ? first_ : slots_[last_].next;
  if (at == kNone) return kNone;
  const SeriesSlot& slot = slots_[at];
  // A name without braces may go on, or have its braces behind a blank.
  if (rest.size() < slot.bytes + size_t{2} || rest[0] == '#') return kNone;
  if (rest[slot.bytes] != ' ' || rest[slot.bytes + 1] == '{' || rest[slot.bytes + 1] == ' ' ||
      rest[slot.bytes + 1] == '\t')
    return kNone;
  const auto hash = hash_of(rest.substr(0, slot.bytes));
  if (hash.low64 != slot.hash_low || hash.high64 != slot.hash_high) return kNone;
  last_ = at;
  return at;
}

void SeriesSlots::step_to(uint32_t at) {
  (last_ == kNone ? first_ : slots_[last_].next) = at;
  last_ = at;
}

uint32_t SeriesSlots::find(std::string_view series) {
  const auto hash = hash_of(series);
  for (size_t i = hash.low64 & (table_.size() - 1);; i = (i + 1) & (table_.size() - 1)) {
    const uint32_t at = table_[i];
    if (at == kNone) return kNone;
    if (slots_[at].hash_low != hash.low64 || slots_[at].hash_high != hash.high64) continue;
    step_to(at);
    return at;
  }
}

uint32_t SeriesSlots::add(std::string_view series) {
  if ((slots_.size() + 1) * 2 > table_.size()) rehash(table_.size() * 2);
  const auto hash = hash_of(series);
  const auto at = static_cast<uint32_t>(slots_.size());
  SeriesSlot& slot = slots_.emplace_back();
  slot.hash_low = hash.low64;
  slot.hash_high = hash.high64;
  slot.bytes = static_cast<uint32_t>(series.size());
  slot.next = kNone;
  insert(at);
  step_to(at);
  return at;
}

void SeriesSlots::insert(uint32_t at) {
  size_t i = slots_[at].hash_low & (table_.size() - 1);
  while (table_[i] != kNone) i = (i + 1) & (table_.size() - 1);
  table_[i] = at;
}

void SeriesSlots::rehash(size_t capacity) {
  table_.assign(capacity, kNone);
  for (uint32_t at = 0; at < slots_.size(); ++at) insert(at);
}

void SeriesSlots::clear() {
  slots_.clear();
  table_.assign(kLeastCapacity, kNone);
  last_ = first_ = kNone;
}

void SeriesSlots::keep_only(uint32_t good) {
  std::vector<SeriesSlot> kept;
  for (const SeriesSlot& slot : slots_) {
    if (slot.good_seen == good || slot.live) kept.push_back(slot);
  }
  size_t capacity = kLeastCapacity;
  while (capacity < kept.size() * 2) capacity *= 2;
  slots_ = std::move(kept);
  // The order is learnt anew with the next page.
  for (uint32_t at = 0; at < slots_.size(); ++at)
    slots_[at].next = at + 1 < slots_.size() ? at + 1 : kNone;
  first_ = slots_.empty() ? kNone : 0;
  last_ = kNone;
  rehash(capacity);
}

}  // namespace binnacle::collect::scrape
