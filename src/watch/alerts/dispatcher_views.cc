// What the API shows of alerts and groups, and what keeps an alert from being heard.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "watch/alerts/alert_order.h"
#include "watch/alerts/dispatcher.h"

namespace binnacle::watch::alerts {
namespace {

bool any_holds(const std::vector<TimeInterval>& intervals, int64_t now_ms) {
  return std::ranges::any_of(intervals, [&](const TimeInterval& i) { return i.contains(now_ms); });
}

// Null: takes all.
Result<std::unique_ptr<re2::RE2>> receiver_pattern(const std::string& regex) {
  if (regex.empty()) return std::unique_ptr<re2::RE2>();
  auto pattern = std::make_unique<re2::RE2>(regex, re2::RE2::Quiet);
  if (pattern->ok()) return pattern;
  return fail(Code::kInvalidArgument, fmt::format("receiver \"{}\": not a regular expression: {}",
                                                  regex, pattern->error()));
}

bool fits(const re2::RE2* pattern, const std::string& receiver) {
  return pattern == nullptr || re2::RE2::FullMatch(receiver, *pattern);
}

bool wanted(const AlertFilter& filter, const AlertView& view) {
  const bool silenced = !view.silenced_by.empty();
  const bool inhibited = !view.inhibited_by.empty();
  if (!filter.active && view.state == AlertState::kActive) return false;
  if (!filter.unprocessed && view.state == AlertState::kUnprocessed) return false;
  if (!filter.silenced && silenced) return false;
  if (!filter.inhibited && inhibited) return false;
  if (!filter.muted && !view.muted_by.empty()) return false;
  return true;
}

}  // namespace

Dispatcher::Why Dispatcher::why_muted(model::LabelsView labels, int64_t now_ms) const {
  Why why;
  why.silenced_by = silences_.active_for(labels, now_ms);
  for (const std::string& window : open_windows(labels, now_ms)) {
    why.silenced_by.push_back(fmt::format("maintenance:{}", window));
  }
  if (const auto source = inhibitor_.inhibited_by(labels, now_ms)) {
    why.inhibited_by.push_back(fmt::format("{:016x}", *source));
  }
  return why;
}

std::vector<std::string> Dispatcher::muting_intervals(const Route& route, int64_t now_ms) const {
  std::vector<std::string> names;
  const auto holds = [&](const std::string& name) {
    const auto it = config_->time_intervals.find(name);
    return it != config_->time_intervals.end() && any_holds(it->second, now_ms);
  };
  if (!route.active_time_intervals.empty() &&
      std::ranges::none_of(route.active_time_intervals, holds)) {
    names = route.active_time_intervals;
  }
  std::ranges::copy_if(route.mute_time_intervals, std::back_inserter(names), holds);
  return names;
}

std::vector<std::string> Dispatcher::open_windows(model::LabelsView labels, int64_t now_ms) const {
  std::vector<std::string> names;
  for (const MaintenanceWindow& window : config_->maintenance) {
    if (model::matches_all(window.matchers, labels) && any_holds(window.intervals, now_ms)) {
      names.push_back(window.name);
    }
  }
  return names;
}

AlertView Dispatcher::view(uint64_t fingerprint, const StoredAlert& stored,
                           std::vector<std::string> muted_by, int64_t now_ms) const {
  AlertView view{.alert = stored.alert, .fingerprint = fingerprint};
  Why why = why_muted(stored.alert.labels, now_ms);
  view.silenced_by = std::move(why.silenced_by);
  view.inhibited_by = std::move(why.inhibited_by);
  view.muted_by = std::move(muted_by);
  const bool heard = view.silenced_by.empty() && view.inhibited_by.empty() && view.muted_by.empty();
  view.state = heard ? AlertState::kActive : AlertState::kSuppressed;
  if (const Acknowledgement* a = acknowledgement(fingerprint, now_ms)) view.acknowledgement = *a;
  view.flapping = flaps_.flapping(fingerprint);
  return view;
}

Result<std::vector<AlertView>> Dispatcher::alerts(const AlertFilter& filter, int64_t now_ms) const {
  TRY_ASSIGN(const auto pattern, receiver_pattern(filter.receiver_regex));
  std::vector<AlertView> views;
  for (const auto& [fingerprint, stored] : table_.all()) {
    if (stored.alert.resolved_at(now_ms) ||
        !model::matches_all(filter.matchers, stored.alert.labels)) {
      continue;
    }
    std::vector<std::string> receivers;
    std::vector<std::string> muted_by;
    for (const Route* route : routes_of(config_->route, stored.alert.labels)) {
      receivers.push_back(route->receiver);
      for (std::string& name : muting_intervals(*route, now_ms)) {
        if (std::ranges::find(muted_by, name) == muted_by.end()) muted_by.push_back(name);
      }
    }
    if (std::ranges::none_of(receivers, [&](const auto& r) { return fits(pattern.get(), r); })) {
      continue;
    }
    AlertView one = view(fingerprint, stored, std::move(muted_by), now_ms);
    one.receivers = std::move(receivers);
    if (wanted(filter, one)) views.push_back(std::move(one));
  }
  std::ranges::sort(views, {}, &AlertView::fingerprint);
  return views;
}

Result<std::vector<GroupView>> Dispatcher::groups(const AlertFilter& filter, int64_t now_ms) const {
  TRY_ASSIGN(const auto pattern, receiver_pattern(filter.receiver_regex));
  std::vector<GroupView> views;
  std::map<uint64_t, std::vector<std::string>> receivers;
  for (const auto& [id, group] : groups_) {
    if (!fits(pattern.get(), group.route->receiver)) continue;
    GroupView shown{
        .labels = group.labels,
        .key = group.key,
        .receiver = group.route->receiver,
        .next_flush_ms = group.next_flush_ms,
        .escalation = group.route->escalation,
        .escalated = group.escalated,
        .next_escalation_ms = group.next_escalation_ms == INT64_MAX ? 0 : group.next_escalation_ms};
    model::LabelsBuilder route_labels;
    for (const auto& [name, value] : group.route->labels) route_labels.set(name, value);
    shown.route_labels = route_labels.build();
    const std::vector<std::string> muted_by = muting_intervals(*group.route, now_ms);
    for (const uint64_t fingerprint : group.members) {
      const StoredAlert& stored = *table_.find(fingerprint);
      if (stored.alert.resolved_at(now_ms) ||
          !model::matches_all(filter.matchers, stored.alert.labels)) {
        continue;
      }
      AlertView one = view(fingerprint, stored, muted_by, now_ms);
      if (!wanted(filter, one)) continue;
      receivers[fingerprint].push_back(group.route->receiver);
      shown.alerts.push_back(std::move(one));
    }
    if (shown.alerts.empty()) continue;
    std::ranges::stable_sort(shown.alerts, [](const AlertView& a, const AlertView& b) {
      return told_before(a.alert.labels, b.alert.labels);
    });
    views.push_back(std::move(shown));
  }
  for (GroupView& shown : views) {
    for (AlertView& one : shown.alerts) {
      one.receivers = receivers[one.fingerprint];
      std::ranges::sort(one.receivers);
    }
  }
  std::ranges::stable_sort(views, [](const GroupView& a, const GroupView& b) {
    if (a.labels == b.labels) return a.receiver < b.receiver;
    return set_before(a.labels, b.labels);
  });
  return views;
}

}  // namespace binnacle::watch::alerts
