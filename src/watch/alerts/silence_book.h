// All silences, and what may be done to them: a change that would alter what a silence did in the
// past expires it and makes a new one, as Alertmanager does. A change is planned, written by the
// owner, then applied, so that what could not be written never held. Pure; the owner's lock guards
// it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "watch/alerts/alert_limits.h"
#include "watch/alerts/silence.h"

namespace binnacle::watch::alerts {

struct SilenceChange {
  std::string id;                 // of the silence asked for
  std::vector<Silence> upserted;  // as they shall be
};

class SilenceBook {
 public:
  // `new_id` gives a UUID.
  SilenceBook(AlertLimits limits, std::function<std::string()> new_id)
      : limits_(limits), new_id_(std::move(new_id)) {}

  // What is there stays where there is more than may be.
  void set_limits(const AlertLimits& limits) { limits_ = limits; }

  // kNotFound, kInvalidArgument, kResourceExhausted
  Result<SilenceChange> plan_set(Silence silence, int64_t now_ms) const;
  // No change when it has ended already. kNotFound.
  Result<SilenceChange> plan_expire(const std::string& id, int64_t now_ms) const;
  void apply(const SilenceChange& change);

  const Silence* find(const std::string& id) const;
  // Ids of the active ones that match.
  std::vector<std::string> active_for(model::LabelsView alert, int64_t now_ms) const;
  // Active ones that end within `ahead_ms` and were not given out before.
  std::vector<const Silence*> take_ending(int64_t now_ms, int64_t ahead_ms);
  // Removes those that ended long enough ago; answers their ids. Now and then.
  std::vector<std::string> gc(int64_t now_ms);

  const std::map<std::string, Silence>& all() const { return silences_; }

 private:
  Status check(const Silence& silence) const;

  AlertLimits limits_;
  const std::function<std::string()> new_id_;
  std::map<std::string, Silence> silences_;
  std::set<const Silence*> live_;  // of silences_: those not ended at the last gc()
  std::set<std::string> reminded_;
};

// A random UUID (version 4) of 16 random bytes.
std::string uuid_of(const std::array<char, 16>& bytes);

}  // namespace binnacle::watch::alerts
