// What is remembered of each series of one target: the hash of its raw text gives the store's
// reference. A page has the series in the same order as the last one, so that each slot knows which
// one followed it; where the guess holds, a line's series is known by its length and hash, and is
// not searched for. 128 bits of XXH3 stand for the text, which is not kept. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model/appender.h"

namespace binnacle::collect::scrape {

struct SeriesSlot {
  uint64_t hash_low = 0;
  uint64_t hash_high = 0;
  model::SeriesRef ref = model::kNoSeries;
  uint32_t bytes = 0;      // of the raw text
  uint32_t next = 0;       // the slot that followed in the last page
  uint32_t seen = 0;       // the last pass that had it
  uint32_t good_seen = 0;  // the last pass that had it and was good
  uint32_t token = 0;      // a TargetDeriver's
  bool dropped = false;    // by metric_relabel
  bool tracked = false;    // in pass `seen`: gets a stale marker when it is gone
  bool live = false;       // its last stored sample is none, so that it gets one
};

class SeriesSlots {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  SeriesSlots() { clear(); }

  // The page is read from its start again.
  void rewind() { last_ = kNone; }
  // The slot whose text begins `rest`, if that is the one which followed last time; kNone tells
  // nothing.
  uint32_t guess(std::string_view rest);
  // The slot of a series, kNone when it has none.
  uint32_t find(std::string_view series);
  // A new one, behind the one that was read last. find() said kNone.
  uint32_t add(std::string_view series);

  SeriesSlot& operator[](uint32_t at) { return slots_[at]; }
  std::vector<SeriesSlot>& all() { return slots_; }
  size_t size() const { return slots_.size(); }
  void clear();
  // Drops those that neither pass `good` had nor are live.
  void keep_only(uint32_t good);

 private:
  void step_to(uint32_t at);
  void rehash(size_t capacity);
  void insert(uint32_t at);

  std::vector<SeriesSlot> slots_;
  std::vector<uint32_t> table_;  // open addressing; a power of two, filled to a half at most
  uint32_t last_ = kNone;        // read last
  uint32_t first_ = kNone;       // of the last page
};

}  // namespace binnacle::collect::scrape
