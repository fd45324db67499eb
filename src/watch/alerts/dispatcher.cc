#include "watch/alerts/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace binnacle::watch::alerts {
namespace {

// At most so many refused alerts are named in one error.
constexpr size_t kNamedRefusals = 10;

const Route* find_route(const Route& route, std::string_view id) {
  if (route.id == id) return &route;
  for (const Route& child : route.routes) {
    if (const Route* found = find_route(child, id)) return found;
  }
  return nullptr;
}

}  // namespace

Dispatcher::Dispatcher(AlertLimits limits, std::string external_url, Random& random,
                       AlertInstruments& instruments)
    : instruments_(instruments),
      limits_(limits),
      external_url_(std::move(external_url)),
      table_(limits),
      silences_(limits,
                [&random] {
                  std::array<char, 16> bytes{};
                  random.fill(bytes);
                  return uuid_of(bytes);
                }),
      flaps_(limits.flap_changes, limits.flap_window_ms),
      deliveries_(limits, random) {}

void Dispatcher::set_options(const AlertLimits& limits, std::string external_url) {
  limits_ = limits;
  external_url_ = std::move(external_url);
  table_.set_limits(limits);
  silences_.set_limits(limits);
  flaps_.set_bounds(limits.flap_changes, limits.flap_window_ms);
  deliveries_.set_limits(limits);
}

Status Dispatcher::put(std::vector<model::Alert> alerts, int64_t now_ms) {
  CHECK(config_ != nullptr);
  std::vector<std::string> refused;
  for (model::Alert& alert : alerts) put_one(std::move(alert), now_ms, refused);
  if (refused.empty()) return {};
  const size_t count = refused.size();
  if (count > kNamedRefusals) {
    refused.resize(kNamedRefusals);
    refused.push_back(fmt::format("and {} more", count - kNamedRefusals));
  }
  return fail(Code::kInvalidArgument, fmt::format("{}", fmt::join(refused, "; ")));
}

void Dispatcher::put_one(model::Alert alert, int64_t now_ms, std::vector<std::string>& refused) {
  const auto stored = table_.put(std::move(alert), now_ms, config_->resolve_timeout_ms);
  if (!stored) {
    instruments_.invalid.add();
    refused.push_back(stored.error().message);
    return;
  }
  const uint64_t fingerprint = stored->fingerprint;
  const StoredAlert* kept = table_.find(fingerprint);
  (kept->open ? instruments_.received_firing : instruments_.received_resolved).add();
  changes_.alert(fingerprint, stored->content_changed);
  if (kept->open) inhibitor_.set(fingerprint, kept->alert.labels, kept->alert.ends_at_ms);
  if (stored->fired) note_fired(fingerprint, now_ms);
  if (stored->resolved) note_resolved(fingerprint, now_ms);
  for (const Route* route : routes_of(config_->route, kept->alert.labels)) {
    group_alert(fingerprint, *route, now_ms);
  }
  drop_if_done(fingerprint, now_ms);
}

void Dispatcher::note_fired(uint64_t fingerprint, int64_t now_ms) {
  const model::Alert& alert = table_.find(fingerprint)->alert;
  add_history("firing", fingerprint, nullptr, "", "", now_ms);
  add_event("alert.firing", &alert, std::string(alert.labels.get(model::kAlertName)), "", now_ms);
  note_change(fingerprint, now_ms);
}

void Dispatcher::note_resolved(uint64_t fingerprint, int64_t now_ms) {
  const model::Alert& alert = table_.find(fingerprint)->alert;
  add_history("resolved", fingerprint, nullptr, "", "", now_ms);
  add_event("alert.resolved", &alert, std::string(alert.labels.get(model::kAlertName)), "", now_ms);
  note_change(fingerprint, now_ms);
  drop_acknowledgement(fingerprint);
  inhibitor_.remove(fingerprint);
  changes_.alert(fingerprint, false);
}

void Dispatcher::note_change(uint64_t fingerprint, int64_t now_ms) {
  const bool begins = flaps_.changed(fingerprint, now_ms);
  // One change says nothing: most alerts fire once.
  const FlapDetector::Record* record = flaps_.find(fingerprint);
  if (record != nullptr && record->changes.size() > 1) changes_.flaps.insert(fingerprint);
  if (!begins) return;
  add_history("flapping", fingerprint, nullptr, "",
              fmt::format("more than {} changes within {} min; told once until it calms down",
                          limits_.flap_changes, limits_.flap_window_ms / 60'000),
              now_ms);
  for (auto& [id, group] : groups_) {
    if (group.members.contains(fingerprint)) group.announce_flapping = true;
  }
}

void Dispatcher::group_alert(uint64_t fingerprint, const Route& route, int64_t now_ms) {
  const model::Alert& alert = table_.find(fingerprint)->alert;
  model::Labels labels = group_labels(route, alert.labels);
  const auto it = group_ids_.find({route.id, labels.packed()});
  if (it != group_ids_.end()) {
    AlertGroup& group = groups_.at(it->second);
    join(group, fingerprint);
    // Who waited long enough elsewhere takes along those that wait here.
    const int64_t flush_ms = first_flush_ms(route, alert, now_ms);
    if (group.in_wait && flush_ms < group.next_flush_ms) schedule(group, flush_ms);
    return;
  }
  AlertGroup* group = make_group(route, std::move(labels), now_ms);
  if (group == nullptr) return;
  group->in_wait = true;
  join(*group, fingerprint);
  schedule(*group, first_flush_ms(route, alert, now_ms));
}

AlertGroup* Dispatcher::make_group(const Route& route, model::Labels labels, int64_t now_ms) {
  if (groups_.size() >= limits_.max_groups) {
    instruments_.group_limit_reached.add();
    return nullptr;
  }
  const int64_t id = ++last_group_;
  AlertGroup& group = groups_[id];
  group.id = id;
  group.route_id = route.id;
  group.labels = std::move(labels);
  adopt(group, route);
  group_ids_[{route.id, group.labels.packed()}] = id;
  schedule(group, now_ms);
  return &group;
}

int64_t Dispatcher::first_flush_ms(const Route& route, const model::Alert& alert,
                                   int64_t now_ms) const {
  const bool old = alert.starts_at_ms + route.group_wait_ms < now_ms;
  return old ? now_ms : now_ms + route.group_wait_ms;
}

void Dispatcher::adopt(AlertGroup& group, const Route& route) {
  group.route = &route;
  group.key = fmt::format("{}:{}", route.key, label_set_text(group.labels));
}

void Dispatcher::join(AlertGroup& group, uint64_t fingerprint) {
  if (!group.members.insert(fingerprint).second) return;
  table_.hold(fingerprint);
  changes_.members.insert({group.id, fingerprint});
  if (flaps_.flapping(fingerprint)) group.announce_flapping = true;
}

void Dispatcher::leave(AlertGroup& group, uint64_t fingerprint, int64_t now_ms) {
  if (group.members.erase(fingerprint) == 0) return;
  changes_.members.insert({group.id, fingerprint});
  table_.release(fingerprint);
  drop_if_done(fingerprint, now_ms);
}

void Dispatcher::drop_if_done(uint64_t fingerprint, int64_t now_ms) {
  if (table_.remove_if_done(fingerprint, now_ms)) changes_.alert(fingerprint, false);
}

void Dispatcher::remove_group(int64_t id, int64_t now_ms) {
  AlertGroup& group = groups_.at(id);
  while (!group.members.empty()) leave(group, *group.members.begin(), now_ms);
  flushes_.erase({group.next_flush_ms, id});
  escalations_.erase({group.next_escalation_ms, id});
  group_ids_.erase({group.route_id, group.labels.packed()});
  groups_.erase(id);
  changes_.groups.insert(id);
}

void Dispatcher::schedule(AlertGroup& group, int64_t flush_ms) {
  flushes_.erase({group.next_flush_ms, group.id});
  group.next_flush_ms = flush_ms;
  // One that is on its way is looked at again when it is over.
  if (!group.flush) flushes_.insert({flush_ms, group.id});
  changes_.groups.insert(group.id);
}

void Dispatcher::schedule_escalation(AlertGroup& group, int64_t when_ms) {
  escalations_.erase({group.next_escalation_ms, group.id});
  group.next_escalation_ms = when_ms;
  if (when_ms != INT64_MAX) escalations_.insert({when_ms, group.id});
  changes_.groups.insert(group.id);
}

const AlertGroup* Dispatcher::find_group(int64_t id) const {
  const auto it = groups_.find(id);
  return it == groups_.end() ? nullptr : &it->second;
}

bool Dispatcher::takes(const AlertGroup& group, model::LabelsView alert) const {
  return std::ranges::any_of(routes_of(config_->route, alert), [&](const Route* route) {
    return route->id == group.route_id && group_labels(*route, alert) == group.labels;
  });
}

void Dispatcher::configure(std::shared_ptr<const AlertConfig> config, int64_t now_ms) {
  const bool reload = config_ != nullptr;
  config_ = std::move(config);
  inhibitor_ = Inhibitor(config_->inhibit_rules);
  for (const auto& [fingerprint, stored] : table_.all()) {
    if (!stored.open) continue;
    inhibitor_.set(fingerprint, stored.alert.labels, stored.alert.ends_at_ms);
  }
  std::vector<int64_t> ids;
  for (const auto& [id, group] : groups_) ids.push_back(id);
  for (const int64_t id : ids) {
    AlertGroup& group = groups_.at(id);
    const Route* route = find_route(config_->route, group.route_id);
    if (route == nullptr) {
      remove_group(id, now_ms);
      continue;
    }
    adopt(group, *route);
    const std::set<uint64_t> members = group.members;
    for (const uint64_t member : members) {
      if (!takes(group, table_.find(member)->alert.labels)) leave(group, member, now_ms);
    }
    // As Alertmanager begins anew: who waited long enough is looked at now.
    for (const uint64_t member : group.members) {
      if (!reload) break;
      const int64_t flush_ms = first_flush_ms(*route, table_.find(member)->alert, now_ms);
      if (flush_ms < group.next_flush_ms) schedule(group, flush_ms);
    }
  }
  std::vector<uint64_t> fingerprints;
  for (const auto& [fingerprint, stored] : table_.all()) fingerprints.push_back(fingerprint);
  std::ranges::sort(fingerprints);
  for (const uint64_t fingerprint : fingerprints) regroup(fingerprint, now_ms);
  for (const int64_t id : ids) {
    if (const auto it = groups_.find(id); it != groups_.end() && it->second.members.empty()) {
      remove_group(id, now_ms);
    }
  }
}

// A resolved alert that some group still has to tell was told by the others.
void Dispatcher::regroup(uint64_t fingerprint, int64_t now_ms) {
  const StoredAlert* stored = table_.find(fingerprint);
  if (stored == nullptr) return;
  const bool open = stored->groups == 0 || !stored->alert.resolved_at(now_ms);
  for (const Route* route : routes_of(config_->route, stored->alert.labels)) {
    if (open) group_alert(fingerprint, *route, now_ms);
  }
}

void Dispatcher::restore_group(AlertGroup group) {
  CHECK(config_ == nullptr);
  std::set<uint64_t> members;
  for (const uint64_t member : group.members) {
    if (table_.find(member) == nullptr) {
      changes_.members.insert({group.id, member});
      continue;
    }
    table_.hold(member);
    members.insert(member);
  }
  group.members = std::move(members);
  last_group_ = std::max(last_group_, group.id);
  group_ids_[{group.route_id, group.labels.packed()}] = group.id;
  flushes_.insert({group.next_flush_ms, group.id});
  if (group.next_escalation_ms != INT64_MAX) {
    escalations_.insert({group.next_escalation_ms, group.id});
  }
  groups_[group.id] = std::move(group);
}

void Dispatcher::restore_acknowledgement(Acknowledgement acknowledgement) {
  const uint64_t fingerprint = acknowledgement.fingerprint;
  acknowledgements_[fingerprint] = std::move(acknowledgement);
}

void Dispatcher::restore_flap(uint64_t fingerprint, FlapDetector::Record record) {
  flaps_.restore(fingerprint, std::move(record));
}

}  // namespace binnacle::watch::alerts
