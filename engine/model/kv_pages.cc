#include "engine/model/kv_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/check.h"

namespace binnacle::engine {
namespace {

int64_t pages_for(int64_t positions) {
  return (positions + KvPages::kPagePositions - 1) / KvPages::kPagePositions;
}

}  // namespace

KvPages::KvPages(int64_t positions, int32_t max_positions)
    : pages_(pages_for(positions)), max_positions_(max_positions) {
  CHECK(positions > 0 && pages_ <= INT32_MAX && max_positions > 0);
}

Status KvPages::check(const Slice& slice) const {
  if (slice.rows <= 0 || slice.first_position < 0) {
    return fail(Code::kInvalidArgument,
                fmt::format("a slice of sequence {} has {} rows from position {}", slice.sequence,
                            slice.rows, slice.first_position));
  }
  if (int64_t{slice.first_position} + slice.rows > max_positions_) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("sequence {} would reach position {}; the model ends at {}", slice.sequence,
                    int64_t{slice.first_position} + slice.rows, max_positions_));
  }
  const auto found = sequences_.find(slice.sequence);
  const int32_t held = found == sequences_.end() ? 0 : found->second.positions;
  if (slice.first_position > held) {
    return fail(Code::kFailedPrecondition,
                fmt::format("sequence {} goes on at position {}, but only {} are held: replay it",
                            slice.sequence, slice.first_position, held));
  }
  return {};
}

Status KvPages::prepare(std::span<const Slice> slices) {
  std::unordered_set<SequenceId> seen;
  int64_t needed = 0;
  for (const Slice& slice : slices) {
    TRY(check(slice));
    if (!seen.insert(slice.sequence).second) {
      return fail(Code::kInvalidArgument,
                  fmt::format("two slices of sequence {} in one step", slice.sequence));
    }
    const auto found = sequences_.find(slice.sequence);
    const int64_t held = found == sequences_.end() ? 0 : std::ssize(found->second.pages);
    needed += pages_for(int64_t{slice.first_position} + slice.rows) - held;
  }
  const int64_t free = std::ssize(free_) + pages_ - never_used_;
  if (needed > free) {
    return fail(
        Code::kResourceExhausted,
        fmt::format("the KV cache is full: {} more positions wanted, {} of {} free",
                    needed * kPagePositions, free * kPagePositions, pages_ * kPagePositions));
  }
  // Shorter ones first give back what longer ones then take.
  for (const Slice& slice : slices) truncate(sequences_[slice.sequence], slice.first_position);
  for (const Slice& slice : slices) {
    Sequence& sequence = sequences_[slice.sequence];
    sequence.positions = slice.first_position + slice.rows;
    while (std::ssize(sequence.pages) < pages_for(sequence.positions)) {
      if (free_.empty()) {
        CHECK(never_used_ < pages_);
        free_.push_back(never_used_++);
      }
      sequence.pages.push_back(free_.back());
      free_.pop_back();
    }
  }
  return {};
}

void KvPages::truncate(Sequence& sequence, int32_t positions) {
  sequence.positions = std::min(sequence.positions, positions);
  while (std::ssize(sequence.pages) > pages_for(sequence.positions)) {
    free_.push_back(sequence.pages.back());
    sequence.pages.pop_back();
  }
}

void KvPages::undo(std::span<const Slice> slices) {
  for (const Slice& slice : slices) {
    if (slice.first_position == 0) {
      release(slice.sequence);
    } else {
      truncate(sequences_[slice.sequence], slice.first_position);
    }
  }
}

void KvPages::release(SequenceId sequence) {
  const auto found = sequences_.find(sequence);
  if (found == sequences_.end()) return;
  truncate(found->second, 0);
  sequences_.erase(found);
}

const KvPages::Sequence& KvPages::at(SequenceId sequence) const {
  const auto found = sequences_.find(sequence);
  CHECK(found != sequences_.end());
  return found->second;
}

KvUsage KvPages::usage() const {
  KvUsage usage;
  usage.positions = pages_ * kPagePositions;
  usage.positions_used = (never_used_ - std::ssize(free_)) * kPagePositions;
  usage.sequences = std::ssize(sequences_);
  return usage;
}

}  // namespace binnacle::engine
