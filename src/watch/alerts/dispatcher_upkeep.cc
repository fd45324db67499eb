// What the dispatcher does now and then, acknowledgements, and what it leaves for the history and
// the bus.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "watch/alerts/dispatcher.h"

namespace binnacle::watch::alerts {
namespace {

constexpr int64_t kMaintenanceMs = 5'000;
// As Alertmanager does: an alert that fires again meanwhile finds its group and the group's pace.
constexpr int64_t kEmptyGroupsMs = 30'000;
constexpr int64_t kLogGcMs = 15 * 60'000;
// History and events that wait for a state file that cannot be written.
constexpr size_t kMostUnwritten = 100'000;
constexpr std::string_view kReminderName = "SilenceEnding";

}  // namespace

void Dispatcher::maintain(int64_t now_ms) {
  next_maintenance_ms_ = now_ms + kMaintenanceMs;
  set_gauges(now_ms);
  for (const std::string& id : silences_.gc(now_ms)) changes_.silences.insert(id);
  remind_of_silences(now_ms);
  const FlapDetector::Calm calm = flaps_.take_calm(now_ms);
  changes_.flaps.insert(calm.forgotten.begin(), calm.forgotten.end());
  for (const uint64_t fingerprint : calm.calm) {
    changes_.flaps.insert(fingerprint);
    add_history("calm", fingerprint, nullptr, "", "does not flap any more", now_ms);
  }
  std::vector<uint64_t> over;
  for (const auto& [fingerprint, acknowledgement] : acknowledgements_) {
    const int64_t end_ms = acknowledgement.expires_at_ms;
    if (end_ms != 0 && end_ms <= now_ms) over.push_back(fingerprint);
  }
  for (const uint64_t fingerprint : over) {
    add_history("acknowledgement expired", fingerprint, nullptr, "", "", now_ms);
    drop_acknowledgement(fingerprint);
  }
  if (now_ms >= next_empty_groups_ms_) {
    next_empty_groups_ms_ = now_ms + kEmptyGroupsMs;
    remove_empty_groups(now_ms);
  }
  if (now_ms < next_log_gc_ms_) return;
  next_log_gc_ms_ = now_ms + kLogGcMs;
  std::set<std::string> live;
  for (const auto& [id, group] : groups_) live.insert(group.key);
  for (LogKey& key : log_.gc(now_ms, live)) changes_.log.insert(std::move(key));
}

void Dispatcher::remove_empty_groups(int64_t now_ms) {
  std::vector<int64_t> empty;
  for (const auto& [id, group] : groups_) {
    if (group.members.empty() && !group.flush) empty.push_back(id);
  }
  for (const int64_t id : empty) remove_group(id, now_ms);
}

void Dispatcher::remind_of_silences(int64_t now_ms) {
  const int64_t ahead_ms =
      config_->silence_reminder.before_ms.value_or(limits_.silence_reminder_ms);
  for (const Silence* silence : silences_.take_ending(now_ms, ahead_ms)) {
    size_t firing = 0;
    for (const auto& [fingerprint, stored] : table_.all()) {
      if (stored.open && model::matches_all(silence->matchers, stored.alert.labels)) ++firing;
    }
    if (firing == 0) continue;
    const std::string text =
        fmt::format("silence {} of {} ends in {} min and {} of its alerts still fire ({})",
                    silence->id, silence->created_by,
                    (silence->ends_at_ms - now_ms + 59'999) / 60'000, firing, silence->comment);
    add_history("reminder", 0, nullptr, "", text, now_ms);
    add_event("alert.silence_ending", nullptr, silence->id, text, now_ms);
    send_reminder(*silence, text, now_ms);
  }
}

// As one alert of no group. The log keeps a restart from telling it again.
void Dispatcher::send_reminder(const Silence& silence, const std::string& text, int64_t now_ms) {
  const auto receiver = config_->receivers.find(config_->silence_reminder.receiver);
  if (receiver == config_->receivers.end()) return;
  const model::Alert alert{.labels = model::LabelsBuilder()
                                         .set(model::kAlertName, kReminderName)
                                         .set("created_by", silence.created_by)
                                         .set("silence", silence.id)
                                         .build(),
                           .annotations = model::Labels{{"summary", text}},
                           .starts_at_ms = now_ms,
                           .updated_at_ms = now_ms,
                           .generator_url = external_url_};
  for (const Integration& integration : receiver->second.integrations) {
    const LogKey key{"silence/" + silence.id, receiver->first, integration_name(integration)};
    const LogEntry* told = log_.find(key);
    if (told != nullptr && told->at_ms >= silence.updated_at_ms) continue;
    auto notification = std::make_shared<Notification>();
    notification->receiver = key.receiver;
    notification->group_key = key.group_key;
    notification->group_labels = model::Labels{{model::kAlertName, kReminderName}};
    notification->alerts = {alert};
    notification->now_ms = now_ms;
    notification->external_url = external_url_;
    notification->dedup_id = std::to_string(silence.ends_at_ms);
    notification->reason = notify_reason_name(NotifyReason::kReminder);
    const uint64_t id = ++last_delivery_;
    instruments_.notifications(integration.kind).add();
    tellings_[id] = {.key = key,
                     .integration = integration.kind,
                     .entry = {.firing = {model::alert_fingerprint(alert.labels)},
                               .expires_at_ms = silence.ends_at_ms - now_ms},
                     .reason = NotifyReason::kReminder};
    deliveries_.add({.id = id,
                     .target = {key.receiver, key.integration},
                     .notification = std::move(notification),
                     .deadline_ms = silence.ends_at_ms,
                     .max_per_minute = integration.max_per_minute},
                    now_ms);
  }
}

void Dispatcher::set_acknowledgement(Acknowledgement acknowledgement) {
  const uint64_t fingerprint = acknowledgement.fingerprint;
  acknowledgements_.insert_or_assign(fingerprint, std::move(acknowledgement));
  changes_.acknowledgements.insert(fingerprint);
}

void Dispatcher::drop_acknowledgement(uint64_t fingerprint) {
  if (acknowledgements_.erase(fingerprint) > 0) changes_.acknowledgements.insert(fingerprint);
}

const Acknowledgement* Dispatcher::acknowledgement(uint64_t fingerprint, int64_t now_ms) const {
  const auto it = acknowledgements_.find(fingerprint);
  if (it == acknowledgements_.end()) return nullptr;
  const int64_t end_ms = it->second.expires_at_ms;
  return end_ms != 0 && end_ms <= now_ms ? nullptr : &it->second;
}

void Dispatcher::shift_ms(int64_t by_ms) {
  for (auto& [id, group] : groups_) {
    schedule(group, group.next_flush_ms + by_ms);
    if (group.next_escalation_ms == INT64_MAX) continue;
    group.first_told_ms += by_ms;
    schedule_escalation(group, group.next_escalation_ms + by_ms);
  }
  deliveries_.shift_ms(by_ms);
  next_maintenance_ms_ += by_ms;
  next_log_gc_ms_ += by_ms;
}

void Dispatcher::add_history(std::string_view kind, uint64_t fingerprint, const AlertGroup* group,
                             std::string receiver, std::string text, int64_t now_ms) {
  if (changes_.history.size() >= kMostUnwritten) {
    instruments_.history_dropped.add();
    return;
  }
  AlertHistoryEntry entry{.time_ms = now_ms,
                          .kind = std::string(kind),
                          .fingerprint = fingerprint,
                          .receiver = std::move(receiver),
                          .text = std::move(text)};
  if (const StoredAlert* stored = table_.find(fingerprint); fingerprint != 0 && stored != nullptr) {
    entry.labels = stored->alert.labels;
  }
  if (group != nullptr) {
    entry.group_key = group->key;
    entry.labels = group->labels;
  }
  changes_.history.push_back(std::move(entry));
}

void Dispatcher::add_event(std::string kind, const model::Alert* alert, std::string subject,
                           std::string_view text, int64_t now_ms) {
  if (changes_.events.size() >= kMostUnwritten) return;
  nlohmann::json data = nlohmann::json::object();
  if (!text.empty()) data["text"] = text;
  if (alert != nullptr) {
    nlohmann::json& labels = data["labels"] = nlohmann::json::object();
    for (const model::Label& label : alert->labels) labels[std::string(label.name)] = label.value;
    data["startsAt"] = format_rfc3339(alert->starts_at_ms);
    if (kind == "alert.resolved") data["endsAt"] = format_rfc3339(alert->ends_at_ms);
  }
  changes_.events.push_back(
      {.time_ms = now_ms,
       .kind = std::move(kind),
       .subject = std::move(subject),
       .data = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)});
}

void Dispatcher::set_gauges(int64_t now_ms) const {
  size_t firing = 0;
  size_t flapping = 0;
  for (const auto& [fingerprint, stored] : table_.all()) {
    if (stored.open) ++firing;
    if (flaps_.flapping(fingerprint)) ++flapping;
  }
  instruments_.firing.set(static_cast<double>(firing));
  instruments_.resolved.set(static_cast<double>(table_.size() - firing));
  instruments_.flapping.set(static_cast<double>(flapping));
  instruments_.groups.set(static_cast<double>(groups_.size()));
  instruments_.acknowledged.set(static_cast<double>(acknowledgements_.size()));
  instruments_.sends_waiting.set(static_cast<double>(deliveries_.size()));
  size_t states[3] = {0, 0, 0};
  for (const auto& [id, silence] : silences_.all()) {
    ++states[static_cast<size_t>(silence.state(now_ms))];
  }
  const auto count = [&](SilenceState s) {
    return static_cast<double>(states[static_cast<size_t>(s)]);
  };
  instruments_.silences_pending.set(count(SilenceState::kPending));
  instruments_.silences_active.set(count(SilenceState::kActive));
  instruments_.silences_expired.set(count(SilenceState::kExpired));
}

}  // namespace binnacle::watch::alerts
