#include "query/promql/label_signature.h"

#include <xxhash.h>

#include <algorithm>

#include "query/promql/packed_walk.h"

namespace binnacle::query::promql {

LabelSignature::LabelSignature(std::vector<std::string> names, bool only)
    : names_(std::move(names)), only_(only) {
  if (!only_) names_.emplace_back(model::kMetricName);
  std::ranges::sort(names_);
  names_.erase(std::ranges::unique(names_).begin(), names_.end());
}

std::string_view LabelSignature::of(model::LabelsView labels) {
  packed_.clear();
  if (only_ && names_.empty()) return packed_;
  auto wanted = names_.begin();
  PackedWalk walk(labels);
  while (walk.next()) {
    int order = -1;
    while (wanted != names_.end() && (order = wanted->compare(walk.name())) < 0) ++wanted;
    if (wanted == names_.end() && only_) break;
    const bool named = wanted != names_.end() && order == 0;
    if (named == only_) packed_.append(walk.bytes());
  }
  return packed_;
}

size_t SignatureIndex::slot_of(std::string_view bytes, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    if (slots_[slot] == kNone) return slot;
    const Entry& entry = entries_[slots_[slot]];
    if (entry.hash == hash && entry.bytes == bytes) return slot;
  }
}

Status SignatureIndex::grow() {
  const size_t size = std::max<size_t>(16, slots_.size() * 2);
  TRY(memory_.charge((size - slots_.size()) * (sizeof(uint32_t) + sizeof(Entry) / 2)));
  slots_.assign(size, kNone);
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    size_t slot = entries_[i].hash & (size - 1);
    while (slots_[slot] != kNone) slot = (slot + 1) & (size - 1);
    slots_[slot] = i;
  }
  return {};
}

Result<SignatureIndex::Place> SignatureIndex::find_or_add(std::string_view bytes) {
  if (entries_.size() * 2 >= slots_.size()) TRY(grow());
  const uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
  const size_t slot = slot_of(bytes, hash);
  if (slots_[slot] != kNone) return Place{slots_[slot], false};
  TRY_ASSIGN(const std::string_view held, memory_.text(bytes));
  const auto ordinal = static_cast<uint32_t>(entries_.size());
  entries_.push_back({hash, held});
  slots_[slot] = ordinal;
  return Place{ordinal, true};
}

uint32_t SignatureIndex::find(std::string_view bytes) const {
  if (slots_.empty()) return kNone;
  return slots_[slot_of(bytes, XXH3_64bits(bytes.data(), bytes.size()))];
}

}  // namespace binnacle::query::promql
