// What is thought of one check, from its readings. A pure state machine: one thread at a time, no
// clocks. A level is taken when the last readings in a row all were at least as bad (`fall`) or at
// least as good (`rise`) as it; a check of which nothing is known is healthy with its first good
// reading. When readings stop, or its node or a check that it depends on is down, it is unknown and
// begins anew afterwards.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "watch/health/check_spec.h"
#include "watch/health/health.h"

namespace binnacle::watch::health {

struct Moment {
  int64_t wall_ms = 0;       // for people
  int64_t monotonic_ms = 0;  // what decides
};

struct CheckRules {
  int rise = 1;
  int fall = 2;
  int64_t stale_after_ms = 0;  // unknown when no reading came for so long; 0: never
};
// Pushed checks have their time to live; others three intervals, and at least one and its timeout.
CheckRules rules_of(const CheckSpec& spec);

// What stands round a check.
struct Surroundings {
  std::string unknown_because;  // "depends on db, which failed"; not empty: nothing is judged
  // What it depends on had a bad reading that did not count yet: no step to the worse until it is
  // clear which of the two it is.
  bool hold_worse = false;
};

struct CheckState {
  Health health = Health::kUnknown;
  std::string reason = "no reading yet";
  int64_t since_ms = 0;  // wall; 0: never changed
  std::optional<Reading> last;
  int64_t last_ms = 0;            // wall, of the last reading
  int64_t last_monotonic_ms = 0;  // of the last reading, or since when one is waited for
  // Readings in a row that were at least as bad, or as good, as each level but kUnknown.
  std::array<int, 4> worse_in_row = {};
  std::array<int, 4> better_in_row = {};
  int unknown_in_row = 0;
  bool blocked = false;  // unknown because of its surroundings
};

struct Transition {
  Health from = Health::kUnknown;
  Health to = Health::kUnknown;
  std::string reason;
  int64_t at_ms = 0;  // wall
};

// `reading`: null when time passed or the surroundings changed.
std::optional<Transition> step(CheckState& state, const CheckRules& rules, const Moment& now,
                               const Reading* reading, const Surroundings& around);

// True when the newest reading is bad and it does not show yet.
bool about_to_fail(const CheckState& state);

}  // namespace binnacle::watch::health
