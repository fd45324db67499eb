// How a group is told: who of it may be heard, what each integration has yet to be told, and what
// the log says when it was.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "watch/alerts/alert_order.h"
#include "watch/alerts/dispatcher.h"
#include "watch/alerts/notification_context.h"

namespace binnacle::watch::alerts {
namespace {

// How long an escalation that an acknowledgement or a silence holds back waits before it looks
// again.
constexpr int64_t kEscalationPauseMs = 15'000;

}  // namespace

std::vector<DeliveryAttempt> Dispatcher::turn(int64_t now_ms) {
  if (config_ == nullptr) return {};
  for (const uint64_t fingerprint : table_.take_ended(now_ms)) {
    note_resolved(fingerprint, now_ms);
    drop_if_done(fingerprint, now_ms);
  }
  if (now_ms >= next_maintenance_ms_) maintain(now_ms);
  while (!flushes_.empty() && flushes_.begin()->first <= now_ms) {
    flush(groups_.at(flushes_.begin()->second), now_ms);
  }
  while (!escalations_.empty() && escalations_.begin()->first <= now_ms) {
    escalate(groups_.at(escalations_.begin()->second), now_ms);
  }
  std::vector<DeliveryAttempt> due = deliveries_.take_due(now_ms);
  for (const DeliveryEnd& end : deliveries_.take_ended()) delivery_ended(end, now_ms);
  return due;
}

void Dispatcher::attempted(uint64_t delivery, const SendOutcome& outcome, int64_t now_ms) {
  if (const auto it = tellings_.find(delivery); it != tellings_.end()) {
    instruments_.requests(it->second.integration).add();
    if (outcome.kind != SendOutcome::Kind::kSent) {
      instruments_.requests_failed(it->second.integration).add();
    }
  }
  deliveries_.attempted(delivery, outcome, now_ms);
  for (const DeliveryEnd& end : deliveries_.take_ended()) delivery_ended(end, now_ms);
}

int64_t Dispatcher::next_due_ms(int64_t now_ms) const {
  int64_t next = std::min(next_maintenance_ms_, table_.next_end_ms());
  if (!flushes_.empty()) next = std::min(next, flushes_.begin()->first);
  if (!escalations_.empty()) next = std::min(next, escalations_.begin()->first);
  return std::min(next, deliveries_.next_due_ms(now_ms));
}

std::vector<Dispatcher::Member> Dispatcher::members_of(const AlertGroup& group,
                                                       int64_t now_ms) const {
  std::vector<Member> members;
  for (const uint64_t fingerprint : group.members) {
    const StoredAlert* stored = table_.find(fingerprint);
    CHECK(stored != nullptr);
    Member member{.fingerprint = fingerprint,
                  .alert = stored->alert,
                  .resolved = stored->alert.resolved_at(now_ms),
                  .flapping = flaps_.flapping(fingerprint)};
    // One that flaps counts as firing until it calms down.
    if (member.flapping) member.resolved = false;
    if (!member.resolved) member.alert.ends_at_ms = 0;
    members.push_back(std::move(member));
  }
  std::ranges::stable_sort(members, [](const Member& a, const Member& b) {
    return told_before(a.alert.labels, b.alert.labels);
  });
  return members;
}

// In Alertmanager's order: inhibition, active intervals, mute intervals, silences.
std::vector<Dispatcher::Member> Dispatcher::audible(const AlertGroup& group,
                                                    std::vector<Member> members, int64_t now_ms) {
  const auto drop = [&](const char* reason, auto&& muted) {
    const size_t count = std::erase_if(members, muted);
    if (count > 0) instruments_.suppressed(reason).add(static_cast<double>(count));
  };
  drop("inhibition", [&](const Member& m) {
    return inhibitor_.inhibited_by(m.alert.labels, now_ms).has_value();
  });
  if (!muting_intervals(*group.route, now_ms).empty()) {
    drop("time_interval", [](const Member&) { return true; });
  }
  drop("silence",
       [&](const Member& m) { return !silences_.active_for(m.alert.labels, now_ms).empty(); });
  drop("maintenance",
       [&](const Member& m) { return !open_windows(m.alert.labels, now_ms).empty(); });
  return members;
}

void Dispatcher::flush(AlertGroup& group, int64_t now_ms) {
  schedule(group, now_ms + group.route->group_interval_ms);
  flushes_.erase({group.next_flush_ms, group.id});
  group.in_wait = false;
  std::vector<Member> members = members_of(group, now_ms);
  group.flush.emplace();
  group.flush->started_ms = now_ms;
  for (const Member& member : members) {
    if (member.resolved) {
      group.flush->resolved.emplace_back(member.fingerprint, member.alert.updated_at_ms);
    } else {
      group.flush->any_firing = true;
    }
  }
  members = audible(group, std::move(members), now_ms);
  if (!members.empty()) {
    const NotifyReason forced =
        group.announce_flapping ? NotifyReason::kFlapping : NotifyReason::kNone;
    group.announce_flapping = false;
    tell(group, members, group.route->receiver, forced, now_ms);
    const auto* steps = steps_of(group);
    for (size_t i = 0; steps != nullptr && i < std::min(group.escalated, steps->size()); ++i) {
      tell(group, members, (*steps)[i].receiver, forced, now_ms);
    }
  }
  if (group.flush->deliveries.empty()) finish_flush(group, now_ms);
}

void Dispatcher::tell(AlertGroup& group, const std::vector<Member>& members,
                      const std::string& receiver, NotifyReason forced, int64_t now_ms) {
  const auto it = config_->receivers.find(receiver);
  if (it == config_->receivers.end()) return;
  for (const Integration& integration : it->second.integrations) {
    tell_integration(group, members, it->second, integration, forced, now_ms);
  }
}

NotifyReason Dispatcher::reason_to_tell(const std::vector<Member>& members, const LogEntry* entry,
                                        const ToTell& tell, NotifyReason forced,
                                        int64_t now_ms) const {
  NotifyReason reason = decide_notification(entry, tell, now_ms);
  if (reason == NotifyReason::kRepeat && std::ranges::all_of(members, [&](const Member& member) {
        return member.resolved || acknowledgement(member.fingerprint, now_ms) != nullptr;
      })) {
    reason = NotifyReason::kNone;
  }
  if (forced == NotifyReason::kEscalation && reason != NotifyReason::kNone) return forced;
  if (forced == NotifyReason::kFlapping && reason != NotifyReason::kAllResolved &&
      !tell.firing.empty()) {
    return forced;
  }
  return reason;
}

void Dispatcher::tell_integration(AlertGroup& group, const std::vector<Member>& members,
                                  const Receiver& receiver, const Integration& integration,
                                  NotifyReason forced, int64_t now_ms) {
  Telling telling{.group = group.id,
                  .key = {group.key, receiver.name, integration_name(integration)},
                  .integration = integration.kind,
                  .entry = {},
                  .of_flush = forced != NotifyReason::kEscalation};
  if (on_its_way(telling.key)) return;
  for (const Member& member : members) {
    (member.resolved ? telling.entry.resolved : telling.entry.firing).push_back(member.fingerprint);
  }
  std::ranges::sort(telling.entry.firing);
  std::ranges::sort(telling.entry.resolved);
  const ToTell tell{.firing = telling.entry.firing,
                    .resolved = telling.entry.resolved,
                    .send_resolved = integration.send_resolved,
                    .repeat_interval_ms = group.route->repeat_interval_ms};
  const LogEntry* before = log_.find(telling.key);
  if (before != nullptr) telling.before_ms = before->at_ms;
  telling.reason = reason_to_tell(members, before, tell, forced, now_ms);
  if (telling.reason == NotifyReason::kNone) return;
  telling.entry.expires_at_ms = std::min(limits_.retention_ms, 2 * group.route->repeat_interval_ms);
  if (!tell.firing.empty() && group.first_told_ms == 0) {
    group.first_told_ms = now_ms;
    const auto* steps = steps_of(group);
    if (steps != nullptr && !steps->empty()) {
      schedule_escalation(group, now_ms + steps->front().after_ms);
    }
    changes_.groups.insert(group.id);
  }
  if (tell.firing.empty() && !integration.send_resolved) {
    // Not told, but the log forgets what fired, so that it is told when it fires anew.
    record(telling, now_ms);
    return;
  }
  send(group, members, integration, std::move(telling), now_ms);
}

void Dispatcher::send(AlertGroup& group, const std::vector<Member>& members,
                      const Integration& integration, Telling telling, int64_t now_ms) {
  auto notification = std::make_shared<Notification>();
  notification->receiver = telling.key.receiver;
  notification->group_key = group.key;
  notification->group_labels = group.labels;
  model::LabelsBuilder route_labels;
  for (const auto& [name, value] : group.route->labels) route_labels.set(name, value);
  notification->route_labels = route_labels.build();
  for (const Member& member : members) {
    if (member.resolved && !integration.send_resolved) continue;
    notification->alerts.push_back(member.alert);
  }
  notification->now_ms = now_ms;
  notification->external_url = external_url_;
  // What is sent anew after a crash was never recorded, so that this is the same then.
  notification->dedup_id = std::to_string(telling.before_ms);
  notification->reason = notify_reason_name(telling.reason);
  notification->context = notification_context(*notification);
  const uint64_t id = ++last_delivery_;
  if (telling.of_flush) group.flush->deliveries.insert(id);
  const LogKey key = telling.key;
  keys_on_their_way_.insert(key);
  instruments_.notifications(integration.kind).add();
  tellings_[id] = std::move(telling);
  deliveries_.add(
      {.id = id,
       .target = {key.receiver, key.integration},
       .notification = std::move(notification),
       .deadline_ms = now_ms + std::max(group.route->group_interval_ms, limits_.min_send_ms),
       .max_per_minute = integration.max_per_minute},
      now_ms);
}

void Dispatcher::record(const Telling& telling, int64_t now_ms) {
  LogEntry entry = telling.entry;
  entry.at_ms = now_ms;
  entry.expires_at_ms += now_ms;  // it stood for how long
  log_.record(telling.key, std::move(entry));
  changes_.log.insert(telling.key);
}

void Dispatcher::delivery_ended(const DeliveryEnd& end, int64_t now_ms) {
  const auto it = tellings_.find(end.id);
  if (it == tellings_.end()) return;
  const Telling telling = std::move(it->second);
  tellings_.erase(it);
  keys_on_their_way_.erase(telling.key);
  const auto group = groups_.find(telling.group);
  const AlertGroup* of = group == groups_.end() ? nullptr : &group->second;
  const std::string receiver = fmt::format("{}/{}", telling.key.receiver, telling.key.integration);
  if (end.sent) {
    record(telling, now_ms);
    add_history(
        "notified", 0, of, receiver,
        fmt::format("{}: {} firing, {} resolved, {} attempts", notify_reason_name(telling.reason),
                    telling.entry.firing.size(), telling.entry.resolved.size(), end.attempts),
        now_ms);
  } else {
    instruments_.notifications_failed(telling.integration).add();
    const std::string text = fmt::format("given up after {} attempts: {}", end.attempts, end.error);
    add_history("failed", 0, of, receiver, text, now_ms);
    add_event("notification.failed", nullptr, receiver, text, now_ms);
  }
  if (of == nullptr || !telling.of_flush || !group->second.flush) return;
  GroupFlush& flush = *group->second.flush;
  flush.deliveries.erase(end.id);
  flush.failed = flush.failed || !end.sent;
  if (flush.deliveries.empty()) finish_flush(group->second, now_ms);
}

void Dispatcher::finish_flush(AlertGroup& group, int64_t now_ms) {
  const GroupFlush flush = std::move(*group.flush);
  group.flush.reset();
  if (!flush.failed) {
    for (const auto& [fingerprint, updated_at_ms] : flush.resolved) {
      const StoredAlert* stored = table_.find(fingerprint);
      // One that was told anew meanwhile is looked at with the next flush.
      if (stored != nullptr && stored->alert.updated_at_ms == updated_at_ms &&
          group.members.contains(fingerprint)) {
        leave(group, fingerprint, now_ms);
      }
    }
    if (!flush.any_firing && group.first_told_ms != 0) {
      group.first_told_ms = 0;
      group.escalated = 0;
      schedule_escalation(group, INT64_MAX);
    }
  }
  flushes_.insert({group.next_flush_ms, group.id});
  changes_.groups.insert(group.id);
}

const std::vector<EscalationStep>* Dispatcher::steps_of(const AlertGroup& group) const {
  if (group.route->escalation.empty()) return nullptr;
  const auto it = config_->escalations.find(group.route->escalation);
  return it == config_->escalations.end() ? nullptr : &it->second;
}

void Dispatcher::escalate(AlertGroup& group, int64_t now_ms) {
  const auto* steps = steps_of(group);
  if (steps == nullptr || group.escalated >= steps->size() || group.first_told_ms == 0) {
    schedule_escalation(group, INT64_MAX);
    return;
  }
  const std::vector<Member> members = audible(group, members_of(group, now_ms), now_ms);
  const bool needed = std::ranges::any_of(members, [&](const Member& member) {
    return !member.resolved && acknowledgement(member.fingerprint, now_ms) == nullptr;
  });
  if (!needed) {
    schedule_escalation(group, now_ms + kEscalationPauseMs);
    return;
  }
  const EscalationStep& step = (*steps)[group.escalated++];
  instruments_.escalations.add();
  add_history("escalated", 0, &group, step.receiver,
              fmt::format("not acknowledged {} s after the first notification",
                          (now_ms - group.first_told_ms) / 1000),
              now_ms);
  const bool more = group.escalated < steps->size();
  schedule_escalation(group,
                      more ? group.first_told_ms + (*steps)[group.escalated].after_ms : INT64_MAX);
  tell(group, members, step.receiver, NotifyReason::kEscalation, now_ms);
}

}  // namespace binnacle::watch::alerts
