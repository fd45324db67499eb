// The part of a label set that grouping and matching look at, as packed bytes: two series belong
// together when these bytes are equal. Written into a buffer that is used again, so that a row
// costs no allocation. One operator's; not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/labels.h"
#include "query/promql/held_memory.h"

namespace binnacle::query::promql {

class LabelSignature {
 public:
  // `only`: these labels alone, __name__ only where it is among them. Else all but these and
  // __name__.
  LabelSignature(std::vector<std::string> names, bool only);

  // Packed labels, sorted as they were; holds until the next call.
  std::string_view of(model::LabelsView labels);

 private:
  // Fixed after construction.
  std::vector<std::string> names_;  // sorted, each once
  const bool only_;

  std::string packed_;
};

// Numbers byte strings 0, 1, 2, ... in the order they come; a hash table with open addressing.
class SignatureIndex {
 public:
  static constexpr uint32_t kNone = static_cast<uint32_t>(-1);

  explicit SignatureIndex(HeldMemory& memory) : memory_(memory) {}  // outlives this

  struct Place {
    uint32_t ordinal = 0;
    bool added = false;
  };
  Result<Place> find_or_add(std::string_view bytes);
  uint32_t find(std::string_view bytes) const;  // kNone: was never added

  size_t size() const { return entries_.size(); }
  std::string_view bytes(uint32_t ordinal) const { return entries_[ordinal].bytes; }

 private:
  struct Entry {
    uint64_t hash = 0;
    std::string_view bytes;  // held by memory_
  };
  size_t slot_of(std::string_view bytes, uint64_t hash) const;
  Status grow();

  HeldMemory& memory_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> slots_;  // a power of two, at most half of them taken; kNone: free
};

}  // namespace binnacle::query::promql
