#include "watch/rules/alert_states.h"

#include <algorithm>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

namespace binnacle::watch::rules {
namespace {

// What is worth a write: the value and the annotations alone are worked out anew at each step.
auto marks_of(const ActiveAlert& alert) {
  return std::tuple(alert.state, alert.active_at_ms, alert.fired_at_ms, alert.resolved_at_ms,
                    alert.last_sent_ms, alert.keep_firing_since_ms);
}

Status check_different(const std::vector<AlertElement>& elements) {
  std::unordered_set<std::string_view> seen;
  for (const AlertElement& element : elements) {
    if (seen.insert(element.labels.packed()).second) continue;
    return fail(Code::kAlreadyExists,
                fmt::format("vector contains metrics with the same labelset after applying alert "
                            "labels ({})",
                            element.labels.to_string()));
  }
  return {};
}

bool due_now(const ActiveAlert& alert, int64_t now_ms, int64_t resend_delay_ms) {
  if (alert.state == AlertState::kPending) return false;
  if (alert.resolved_at_ms > alert.last_sent_ms) return true;
  return alert.last_sent_ms + resend_delay_ms < now_ms;
}

}  // namespace

std::string_view alert_state_name(AlertState state) {
  switch (state) {
    case AlertState::kInactive:
      return "inactive";
    case AlertState::kPending:
      return "pending";
    case AlertState::kFiring:
      return "firing";
  }
  return "inactive";
}

bool AlertStates::step_alert(int64_t now_ms, const Times& times, bool present, ActiveAlert& alert) {
  if (present) {
    alert.keep_firing_since_ms = 0;
  } else {
    bool keep_firing = false;
    if (alert.state == AlertState::kFiring && times.keep_firing_for_ms > 0) {
      if (alert.keep_firing_since_ms == 0) alert.keep_firing_since_ms = now_ms;
      keep_firing = now_ms - alert.keep_firing_since_ms < times.keep_firing_for_ms;
    }
    if (!keep_firing) {
      if (alert.state != AlertState::kInactive) {
        alert.state = AlertState::kInactive;
        alert.resolved_at_ms = now_ms;
      }
      return false;
    }
  }
  if (alert.state == AlertState::kPending && now_ms - alert.active_at_ms >= times.for_ms) {
    alert.state = AlertState::kFiring;
    alert.fired_at_ms = now_ms;
  }
  // A reload made `for` longer.
  if (alert.state == AlertState::kFiring && now_ms - alert.active_at_ms < times.for_ms) {
    alert.state = AlertState::kPending;
    alert.fired_at_ms = 0;
    alert.last_sent_ms = 0;
    alert.keep_firing_since_ms = 0;
  }
  return true;
}

std::unordered_set<std::string> AlertStates::take(int64_t now_ms,
                                                  std::vector<AlertElement> elements) {
  std::unordered_set<std::string> present;
  for (AlertElement& element : elements) {
    const auto [it, added] = alerts_.try_emplace(element.labels.packed());
    present.insert(it->first);
    ActiveAlert& alert = it->second;
    if (added || alert.state == AlertState::kInactive) {
      alert = ActiveAlert{.labels = std::move(element.labels), .active_at_ms = now_ms};
      changed_.insert(it->first);
    }
    alert.annotations = std::move(element.annotations);
    alert.value = element.value;
  }
  return present;
}

Status AlertStates::step(int64_t now_ms, const Times& times, std::vector<AlertElement> elements) {
  TRY(check_different(elements));
  const auto present = take(now_ms, std::move(elements));
  size_t active = 0;
  for (auto it = alerts_.begin(); it != alerts_.end();) {
    ActiveAlert& alert = it->second;
    const bool here = present.contains(it->first);
    const bool over =
        alert.resolved_at_ms != 0 && now_ms - alert.resolved_at_ms > kResolvedRetentionMs;
    if (!here && (alert.state == AlertState::kPending || over)) {
      changed_.insert(it->first);
      it = alerts_.erase(it);
      continue;
    }
    const auto before = marks_of(alert);
    if (step_alert(now_ms, times, here, alert)) ++active;
    if (marks_of(alert) != before) changed_.insert(it->first);
    ++it;
  }
  if (times.limit == 0 || active <= times.limit) return {};
  forget_all();
  return fail(Code::kResourceExhausted,
              fmt::format("exceeded limit of {} with {} alerts", times.limit, active));
}

std::set<std::string> AlertStates::firing_without(const std::vector<AlertElement>& elements) const {
  std::set<std::string> out;
  for (const auto& [labels, alert] : alerts_)
    if (alert.state == AlertState::kFiring) out.insert(labels);
  for (const AlertElement& element : elements) out.erase(element.labels.packed());
  return out;
}

std::vector<ActiveAlert> AlertStates::due(int64_t now_ms, int64_t resend_delay_ms) const {
  std::vector<ActiveAlert> out;
  for (const auto& [labels, alert] : alerts_)
    if (due_now(alert, now_ms, resend_delay_ms)) out.push_back(alert);
  return out;
}

void AlertStates::sent(const ActiveAlert& alert, int64_t now_ms, int64_t valid_until_ms) {
  const auto it = alerts_.find(alert.labels.packed());
  if (it == alerts_.end()) return;
  it->second.last_sent_ms = now_ms;
  it->second.valid_until_ms = valid_until_ms;
  changed_.insert(it->first);
}

AlertState AlertStates::highest() const {
  AlertState state = AlertState::kInactive;
  for (const auto& [labels, alert] : alerts_) state = std::max(state, alert.state);
  return state;
}

std::vector<AlertChange> AlertStates::changes() const {
  std::vector<AlertChange> out;
  out.reserve(changed_.size());
  for (const std::string& labels : changed_) {
    const auto it = alerts_.find(labels);
    out.push_back({labels, it == alerts_.end() ? std::nullopt : std::optional(it->second)});
  }
  return out;
}

void AlertStates::restore(ActiveAlert alert) {
  std::string key = alert.labels.packed();
  alerts_.insert_or_assign(std::move(key), std::move(alert));
}

void AlertStates::forget_all() {
  for (const auto& [labels, alert] : alerts_) changed_.insert(labels);
  alerts_.clear();
}

void AlertStates::take_over(const AlertStates& from) {
  alerts_ = from.alerts_;
  changed_ = from.changed_;
}

void AlertStates::set_active_at(model::LabelsView labels, int64_t active_at_ms) {
  const auto it = alerts_.find(labels.packed());
  if (it == alerts_.end() || it->second.active_at_ms == active_at_ms) return;
  it->second.active_at_ms = active_at_ms;
  changed_.insert(it->first);
}

}  // namespace binnacle::watch::rules
