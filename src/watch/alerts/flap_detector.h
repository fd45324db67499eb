// Finds alerts that change between firing and resolved too often: while one flaps, its group is
// told once and then left in peace until it calms down. Pure; the owner's lock guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

namespace binnacle::watch::alerts {

class FlapDetector {
 public:
  FlapDetector(size_t changes, int64_t window_ms) : most_(changes), window_ms_(window_ms) {}

  // What changed so far counts by the new bounds with its next change, or the next take_calm().
  void set_bounds(size_t changes, int64_t window_ms) {
    most_ = changes;
    window_ms_ = window_ms;
  }

  // The alert fired or was resolved. True when it flaps from now on.
  bool changed(uint64_t fingerprint, int64_t now_ms);
  bool flapping(uint64_t fingerprint) const;
  struct Calm {
    std::vector<uint64_t> calm;       // that flapped until now
    std::vector<uint64_t> forgotten;  // that did not change for a window
  };
  Calm take_calm(int64_t now_ms);

  struct Record {
    std::deque<int64_t> changes;  // within the window, oldest first; at most `most_` + 1
    bool flapping = false;
  };
  const Record* find(uint64_t fingerprint) const;
  void restore(uint64_t fingerprint, Record record) { records_[fingerprint] = std::move(record); }

 private:
  void drop_old(Record& record, int64_t now_ms) const;

  size_t most_;
  int64_t window_ms_;
  std::unordered_map<uint64_t, Record> records_;
};

}  // namespace binnacle::watch::alerts
