// The alerts of one alerting rule: which label sets are pending, firing or lately resolved, and
// what has to be told of them. A pure state machine with Prometheus' rules (rules/alerting.go); the
// owner brings the time and what the expression gave. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "model/labels.h"

namespace binnacle::watch::rules {

enum class AlertState : uint8_t { kInactive, kPending, kFiring };
std::string_view alert_state_name(AlertState state);  // "inactive", "pending", "firing"

// How long a resolved alert is kept, and told again.
inline constexpr int64_t kResolvedRetentionMs = 15 * 60'000;

// Unix milliseconds; 0: not set.
struct ActiveAlert {
  AlertState state = AlertState::kPending;
  model::Labels labels;
  model::Labels annotations;
  double value = 0;
  int64_t active_at_ms = 0;
  int64_t fired_at_ms = 0;
  int64_t resolved_at_ms = 0;
  int64_t last_sent_ms = 0;
  int64_t valid_until_ms = 0;  // of what was sent last
  int64_t keep_firing_since_ms = 0;
  friend bool operator==(const ActiveAlert&, const ActiveAlert&) = default;
};

// What the expression gave, with the rule's templates expanded.
struct AlertElement {
  model::Labels labels;
  model::Labels annotations;
  double value = 0;
};

// One row of what is stored: an alert as it is now, or the word that it is gone.
struct AlertChange {
  std::string labels;  // packed
  std::optional<ActiveAlert> now;
};

class AlertStates {
 public:
  struct Times {
    int64_t for_ms = 0;
    int64_t keep_firing_for_ms = 0;
    size_t limit = 0;  // of pending and firing alerts; 0: none
  };

  // kAlreadyExists: two elements have the same labels, nothing changed. kResourceExhausted: more
  // alerts than the limit, all are forgotten.
  Status step(int64_t now_ms, const Times& times, std::vector<AlertElement> elements);

  // Calls look(alert) for each that is pending or firing: those that have series.
  template <typename Look>
  void for_each_active(Look&& look) const {
    for (const auto& [labels, alert] : alerts_)
      if (alert.state != AlertState::kInactive) look(alert);
  }

  // Firing alerts that `elements` lack: the ones about which x-clear is asked.
  std::set<std::string> firing_without(const std::vector<AlertElement>& elements) const;

  // Alerts whose time to be told has come.
  std::vector<ActiveAlert> due(int64_t now_ms, int64_t resend_delay_ms) const;
  void sent(const ActiveAlert& alert, int64_t now_ms, int64_t valid_until_ms);

  AlertState highest() const;
  size_t size() const { return alerts_.size(); }  // resolved ones included

  // What differs from what was last said to be stored.
  std::vector<AlertChange> changes() const;
  void stored() { changed_.clear(); }
  // As it was stored before.
  void restore(ActiveAlert alert);
  void forget_all();
  // What a reloaded rule takes over from the one that it replaces.
  void take_over(const AlertStates& from);
  // Of ALERTS_FOR_STATE: since when the alert with these labels has been active.
  void set_active_at(model::LabelsView labels, int64_t active_at_ms);

 private:
  // What the expression gave goes in; the labels of that.
  std::unordered_set<std::string> take(int64_t now_ms, std::vector<AlertElement> elements);
  // False: the alert is over and its series end.
  bool step_alert(int64_t now_ms, const Times& times, bool present, ActiveAlert& alert);

  std::map<std::string, ActiveAlert, std::less<>> alerts_;  // by packed labels
  std::set<std::string> changed_;
};

}  // namespace binnacle::watch::rules
