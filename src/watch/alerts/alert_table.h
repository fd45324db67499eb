// The alerts that are firing, and those resolved that a group has yet to tell, merged by
// Alertmanager's rules: the earliest start of what overlaps wins, the last annotations win, the
// latest of two ends that are past wins. Pure; the owner's lock guards it.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "model/alert.h"
#include "watch/alerts/alert_limits.h"

namespace binnacle::watch::alerts {

struct StoredAlert {
  model::Alert alert;
  bool timeout = false;  // the end was not given: it moves on with each renewal
  bool open = false;     // said to fire, not yet said to be resolved, in the history
  uint32_t groups = 0;   // that hold it
};

class AlertTable {
 public:
  explicit AlertTable(AlertLimits limits) : limits_(limits) {}

  // What is there stays where there is more than may be.
  void set_limits(const AlertLimits& limits) { limits_ = limits; }

  struct Stored {
    uint64_t fingerprint = 0;
    bool content_changed = false;  // more than times
    bool fired = false;            // was not there, or was resolved
    bool resolved = false;         // was firing
  };
  // Fills in the times that are not set. kInvalidArgument, kResourceExhausted.
  Result<Stored> put(model::Alert alert, int64_t now_ms, int64_t resolve_timeout_ms);
  // As it was when the state was last written.
  void restore(StoredAlert alert);

  const StoredAlert* find(uint64_t fingerprint) const;
  void hold(uint64_t fingerprint);
  void release(uint64_t fingerprint);
  // True when it was removed, being resolved and in no group.
  bool remove_if_done(uint64_t fingerprint, int64_t now_ms);

  // Those that came to their end since the last call without anyone saying so. Cheap while none
  // can have.
  std::vector<uint64_t> take_ended(int64_t now_ms);
  // When the next may end, at the earliest.
  int64_t next_end_ms() const { return next_end_ms_; }

  size_t size() const { return alerts_.size(); }
  const std::unordered_map<uint64_t, StoredAlert>& all() const { return alerts_; }

 private:
  Status check(const model::Alert& alert) const;
  void note_end(const StoredAlert& stored);

  AlertLimits limits_;
  std::unordered_map<uint64_t, StoredAlert> alerts_;  // by fingerprint
  int64_t next_end_ms_ = INT64_MAX;                   // a lower bound over the open ones
};

}  // namespace binnacle::watch::alerts
