#include "watch/health/check_state.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "base/config_units.h"

namespace binnacle::watch::health {
namespace {

constexpr int kStaleIntervals = 3;
constexpr int kMostInRow = 1'000'000;

size_t level(Health health) { return static_cast<size_t>(health); }
bool is_bad(Health health) { return health >= Health::kDegraded && health <= Health::kFailed; }

void begin_anew(CheckState& state, const Moment& now) {
  state.worse_in_row = {};
  state.better_in_row = {};
  state.unknown_in_row = 0;
  state.last_monotonic_ms = now.monotonic_ms;
}

void count(int& in_row, bool more) { in_row = more ? std::min(in_row + 1, kMostInRow) : 0; }

void count_reading(CheckState& state, Health seen) {
  count(state.unknown_in_row, seen == Health::kUnknown);
  if (seen == Health::kUnknown) return;  // says nothing for or against a level
  for (size_t i = 0; i < state.worse_in_row.size(); ++i) {
    count(state.worse_in_row[i], level(seen) >= i);
    count(state.better_in_row[i], level(seen) <= i);
  }
}

// The level that the readings in a row lead to.
Health judged(const CheckState& state, const CheckRules& rules, bool hold_worse) {
  const size_t best = level(Health::kHealthy);
  const size_t worst = level(Health::kFailed);
  const bool unknown = state.health == Health::kUnknown;
  const size_t now = unknown ? best : level(state.health);
  if (!hold_worse) {
    for (size_t to = worst; to > now; --to) {
      if (state.worse_in_row[to] >= rules.fall) return static_cast<Health>(to);
    }
  }
  const int rise = unknown ? 1 : rules.rise;
  const size_t end = unknown ? now + 1 : now;
  for (size_t to = best; to < end; ++to) {
    if (state.better_in_row[to] >= rise) return static_cast<Health>(to);
  }
  if (state.unknown_in_row >= rules.fall) return Health::kUnknown;
  return state.health;
}

std::optional<Transition> become(CheckState& state, Health to, std::string reason,
                                 const Moment& now) {
  state.reason = std::move(reason);
  if (to == state.health) return std::nullopt;
  Transition transition{state.health, to, state.reason, now.wall_ms};
  state.health = to;
  state.since_ms = now.wall_ms;
  return transition;
}

std::optional<Transition> block(CheckState& state, const Moment& now, const Surroundings& around) {
  state.blocked = true;
  begin_anew(state, now);
  return become(state, Health::kUnknown, around.unknown_because, now);
}

std::string waiting_reason(const CheckState& state, const CheckRules& rules,
                           const Reading& reading) {
  if (state.health == reading.health) return reading.message;
  if (reading.health == Health::kUnknown) {
    return fmt::format("could not be found out ({} of {}): {}", state.unknown_in_row, rules.fall,
                       reading.message);
  }
  const bool worse = state.health == Health::kUnknown || reading.health > state.health;
  const int seen = worse ? state.worse_in_row[level(reading.health)]
                         : state.better_in_row[level(reading.health)];
  return fmt::format("{} ({} of {} readings): {}", health_name(reading.health), seen,
                     worse ? rules.fall : rules.rise, reading.message);
}

std::optional<Transition> judge(CheckState& state, const CheckRules& rules, const Moment& now,
                                const Reading& reading, const Surroundings& around) {
  state.last = reading;
  state.last_ms = now.wall_ms;
  state.last_monotonic_ms = now.monotonic_ms;
  count_reading(state, reading.health);
  const Health to = judged(state, rules, around.hold_worse);
  if (to == state.health) return become(state, to, waiting_reason(state, rules, reading), now);
  if (to == Health::kUnknown) begin_anew(state, now);
  return become(state, to, reading.message, now);
}

}  // namespace

CheckRules rules_of(const CheckSpec& spec) {
  CheckRules rules{std::max(spec.rise, 1), std::max(spec.fall, 1), spec.ttl_ms};
  const bool pushed = spec.origin == CheckOrigin::kPushed || spec.kind == "pushed";
  if (!pushed && rules.stale_after_ms == 0) {
    rules.stale_after_ms =
        std::max(kStaleIntervals * spec.interval_ms, spec.interval_ms + 2 * spec.timeout_ms);
  }
  return rules;
}

std::optional<Transition> step(CheckState& state, const CheckRules& rules, const Moment& now,
                               const Reading* reading, const Surroundings& around) {
  CHECK(rules.rise > 0 && rules.fall > 0);
  if (state.last_monotonic_ms == 0) state.last_monotonic_ms = now.monotonic_ms;
  if (!around.unknown_because.empty()) {
    if (reading != nullptr) {
      state.last = *reading;
      state.last_ms = now.wall_ms;
    }
    return block(state, now, around);
  }
  if (state.blocked) {
    state.blocked = false;
    begin_anew(state, now);
    state.reason = "no reading yet since it can be judged again";
  }
  if (reading != nullptr) return judge(state, rules, now, *reading, around);
  const int64_t silent_ms = now.monotonic_ms - state.last_monotonic_ms;
  if (rules.stale_after_ms == 0 || silent_ms <= rules.stale_after_ms) return std::nullopt;
  const int64_t heard_ms = state.last_monotonic_ms;
  begin_anew(state, now);
  state.last_monotonic_ms = heard_ms;  // how long it is silent goes on counting
  return become(state, Health::kUnknown,
                fmt::format("no reading for {}", format_duration_ms(silent_ms / 1000 * 1000)), now);
}

bool about_to_fail(const CheckState& state) {
  return !state.blocked && state.last && is_bad(state.last->health) &&
         (state.health == Health::kUnknown || state.last->health > state.health);
}

}  // namespace binnacle::watch::health
