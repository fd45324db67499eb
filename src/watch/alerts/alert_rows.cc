#include "watch/alerts/alert_rows.h"

#include <nlohmann/json.hpp>

#include "watch/alerts/alert_row_format.h"

namespace binnacle::watch::alerts {
namespace {

using store::state::Blob;
using store::state::Database;

constexpr store::state::Migration kAlertMigrations[] = {
    {500, "alerts",
     // Times apart from the rest: a renewal writes 40 bytes.
     "CREATE TABLE alerts ("
     "  fingerprint INTEGER PRIMARY KEY,"
     "  labels BLOB NOT NULL,"
     "  annotations BLOB NOT NULL,"
     "  generator_url TEXT NOT NULL"
     ");"
     "CREATE TABLE alert_times ("
     "  fingerprint INTEGER PRIMARY KEY,"
     "  starts_ms INTEGER NOT NULL,"
     "  ends_ms INTEGER NOT NULL,"
     "  updated_ms INTEGER NOT NULL,"
     "  flags INTEGER NOT NULL"
     ");"
     "CREATE TABLE alert_groups ("
     "  id INTEGER PRIMARY KEY,"
     "  route_id TEXT NOT NULL,"
     "  labels BLOB NOT NULL,"
     "  next_flush_ms INTEGER NOT NULL,"
     "  first_told_ms INTEGER NOT NULL,"
     "  escalated INTEGER NOT NULL,"
     "  next_escalation_ms INTEGER NOT NULL"
     ");"
     "CREATE TABLE alert_group_members ("
     "  group_id INTEGER NOT NULL,"
     "  fingerprint INTEGER NOT NULL,"
     "  PRIMARY KEY (group_id, fingerprint)"
     ") WITHOUT ROWID;"
     "CREATE TABLE alert_notifications ("
     "  group_key TEXT NOT NULL,"
     "  receiver TEXT NOT NULL,"
     "  integration TEXT NOT NULL,"
     "  at_ms INTEGER NOT NULL,"
     "  firing BLOB NOT NULL,"
     "  resolved BLOB NOT NULL,"
     "  expires_ms INTEGER NOT NULL,"
     "  PRIMARY KEY (group_key, receiver, integration)"
     ") WITHOUT ROWID;"},
    {501, "silences",
     "CREATE TABLE alert_silences ("
     "  id TEXT PRIMARY KEY,"
     "  matchers TEXT NOT NULL CHECK (json_valid(matchers)),"
     "  starts_ms INTEGER NOT NULL,"
     "  ends_ms INTEGER NOT NULL,"
     "  updated_ms INTEGER NOT NULL,"
     "  created_by TEXT NOT NULL,"
     "  comment TEXT NOT NULL,"
     "  annotations TEXT NOT NULL CHECK (json_valid(annotations))"
     ") WITHOUT ROWID;"
     "CREATE TABLE alert_acknowledgements ("
     "  fingerprint INTEGER PRIMARY KEY,"
     "  labels BLOB NOT NULL,"
     "  by_whom TEXT NOT NULL,"
     "  note TEXT NOT NULL,"
     "  at_ms INTEGER NOT NULL,"
     "  expires_ms INTEGER NOT NULL"
     ");"
     "CREATE TABLE alert_flaps ("
     "  fingerprint INTEGER PRIMARY KEY,"
     "  flapping INTEGER NOT NULL,"
     "  changes BLOB NOT NULL"
     ");"},
    {502, "alert history",
     "CREATE TABLE alert_history ("
     "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
     "  time_ms INTEGER NOT NULL,"
     "  kind TEXT NOT NULL,"
     "  fingerprint INTEGER NOT NULL,"
     "  labels BLOB NOT NULL,"
     "  group_key TEXT NOT NULL,"
     "  receiver TEXT NOT NULL,"
     "  text TEXT NOT NULL"
     ");"
     "CREATE INDEX alert_history_time ON alert_history(time_ms);"},
};

int64_t key(uint64_t fingerprint) { return static_cast<int64_t>(fingerprint); }

// Numbers of 8 bytes, little-endian.
template <typename Numbers>
std::string packed(const Numbers& numbers) {
  std::string bytes;
  for (const auto number : numbers) {
    auto value = static_cast<uint64_t>(number);
    for (int i = 0; i < 8; ++i, value >>= 8) bytes += static_cast<char>(value & 0xFF);
  }
  return bytes;
}

Status write_alert(Database& db, const AlertRows::AlertRow& row) {
  if (!row.alert) {
    TRY(db.run("DELETE FROM alert_times WHERE fingerprint = ?", key(row.fingerprint)));
    return db.run("DELETE FROM alerts WHERE fingerprint = ?", key(row.fingerprint));
  }
  const model::Alert& alert = row.alert->alert;
  const int64_t flags = (row.alert->timeout ? kRowTimeout : 0) | (row.alert->open ? kRowOpen : 0);
  if (row.content) {
    TRY(
        db.run("INSERT OR REPLACE INTO alerts(fingerprint, labels, annotations, generator_url)"
               " VALUES (?, ?, ?, ?)",
               key(row.fingerprint), Blob{alert.labels.packed()}, Blob{alert.annotations.packed()},
               alert.generator_url));
  }
  return db.run(
      "INSERT OR REPLACE INTO alert_times(fingerprint, starts_ms, ends_ms, updated_ms, flags)"
      " VALUES (?, ?, ?, ?, ?)",
      key(row.fingerprint), alert.starts_at_ms, alert.ends_at_ms, alert.updated_at_ms, flags);
}

Status write_group(Database& db, const AlertRows::GroupRow& row) {
  if (!row.group) return db.run("DELETE FROM alert_groups WHERE id = ?", row.id);
  const AlertGroup& group = *row.group;
  return db.run(
      "INSERT OR REPLACE INTO alert_groups(id, route_id, labels, next_flush_ms, first_told_ms,"
      " escalated, next_escalation_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
      group.id, group.route_id, Blob{group.labels.packed()}, group.next_flush_ms,
      group.first_told_ms, group.escalated, group.next_escalation_ms);
}

Status write_member(Database& db, const AlertRows::MemberRow& row) {
  if (!row.member) {
    return db.run("DELETE FROM alert_group_members WHERE group_id = ? AND fingerprint = ?",
                  row.group, key(row.fingerprint));
  }
  return db.run("INSERT OR IGNORE INTO alert_group_members(group_id, fingerprint) VALUES (?, ?)",
                row.group, key(row.fingerprint));
}

Status write_log(Database& db, const LogKey& key, const std::optional<LogEntry>& entry) {
  if (!entry) {
    return db.run(
        "DELETE FROM alert_notifications WHERE group_key = ? AND receiver = ? AND integration = ?",
        key.group_key, key.receiver, key.integration);
  }
  return db.run(
      "INSERT OR REPLACE INTO alert_notifications(group_key, receiver, integration, at_ms, firing,"
      " resolved, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
      key.group_key, key.receiver, key.integration, entry->at_ms, Blob{packed(entry->firing)},
      Blob{packed(entry->resolved)}, entry->expires_at_ms);
}

Status write_acknowledgement(Database& db, uint64_t fingerprint,
                             const std::optional<Acknowledgement>& ack) {
  if (!ack) {
    return db.run("DELETE FROM alert_acknowledgements WHERE fingerprint = ?", key(fingerprint));
  }
  return db.run(
      "INSERT OR REPLACE INTO alert_acknowledgements(fingerprint, labels, by_whom, note, at_ms,"
      " expires_ms) VALUES (?, ?, ?, ?, ?, ?)",
      key(fingerprint), Blob{ack->labels.packed()}, ack->by, ack->note, ack->at_ms,
      ack->expires_at_ms);
}

Status write_flap(Database& db, uint64_t fingerprint,
                  const std::optional<FlapDetector::Record>& record) {
  if (!record) return db.run("DELETE FROM alert_flaps WHERE fingerprint = ?", key(fingerprint));
  return db.run(
      "INSERT OR REPLACE INTO alert_flaps(fingerprint, flapping, changes)"
      " VALUES (?, ?, ?)",
      key(fingerprint), record->flapping ? 1 : 0, Blob{packed(record->changes)});
}

Status write_silence(Database& db, const std::string& id, const std::optional<Silence>& silence) {
  if (!silence) return db.run("DELETE FROM alert_silences WHERE id = ?", id);
  nlohmann::json matchers = nlohmann::json::array();
  for (const model::Matcher& m : silence->matchers) {
    matchers.push_back({kRowMatchOps[static_cast<size_t>(m.op())], m.name(), m.value()});
  }
  nlohmann::json annotations = nlohmann::json::array();
  for (const auto& [name, value] : silence->annotations) annotations.push_back({name, value});
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
  return db.run(
      "INSERT OR REPLACE INTO alert_silences(id, matchers, starts_ms, ends_ms, updated_ms,"
      " created_by, comment, annotations) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      id, matchers.dump(-1, ' ', false, kReplace), silence->starts_at_ms, silence->ends_at_ms,
      silence->updated_at_ms, silence->created_by, silence->comment,
      annotations.dump(-1, ' ', false, kReplace));
}

Status write_history(Database& db, const AlertHistoryEntry& entry) {
  return db.run(
      "INSERT INTO alert_history(time_ms, kind, fingerprint, labels, group_key, receiver, text)"
      " VALUES (?, ?, ?, ?, ?, ?, ?)",
      entry.time_ms, entry.kind, key(entry.fingerprint), Blob{entry.labels.packed()},
      entry.group_key, entry.receiver, entry.text);
}

template <typename T>
std::optional<T> copy_of(const T* value) {
  return value == nullptr ? std::nullopt : std::optional<T>(*value);
}

}  // namespace

std::span<const store::state::Migration> alert_migrations() { return kAlertMigrations; }

AlertRows rows_of(const AlertChanges& changes, const Dispatcher& dispatcher, int64_t now_ms) {
  AlertRows rows;
  for (const auto& [fingerprint, content] : changes.alerts) {
    rows.alerts.push_back({.fingerprint = fingerprint,
                           .alert = copy_of(dispatcher.find_alert(fingerprint)),
                           .content = content});
  }
  for (const int64_t id : changes.groups) {
    AlertRows::GroupRow& row = rows.groups.emplace_back();
    row.id = id;
    const AlertGroup* group = dispatcher.find_group(id);
    if (group == nullptr) continue;
    row.group.emplace();
    row.group->id = id;
    row.group->route_id = group->route_id;
    row.group->labels = group->labels;
    // What is being sent is looked at again at once after a crash: it may not have arrived.
    row.group->next_flush_ms = group->flush ? group->flush->started_ms : group->next_flush_ms;
    row.group->first_told_ms = group->first_told_ms;
    row.group->escalated = group->escalated;
    row.group->next_escalation_ms = group->next_escalation_ms;
  }
  for (const auto& [id, fingerprint] : changes.members) {
    const AlertGroup* group = dispatcher.find_group(id);
    const bool member = group != nullptr && group->members.contains(fingerprint);
    rows.members.push_back({.group = id, .fingerprint = fingerprint, .member = member});
  }
  for (const LogKey& log : changes.log) {
    rows.log.emplace_back(log, copy_of(dispatcher.find_log(log)));
  }
  for (const uint64_t fingerprint : changes.acknowledgements) {
    rows.acknowledgements.emplace_back(fingerprint,
                                       copy_of(dispatcher.acknowledgement(fingerprint, now_ms)));
  }
  for (const uint64_t fingerprint : changes.flaps) {
    rows.flaps.emplace_back(fingerprint, copy_of(dispatcher.find_flap(fingerprint)));
  }
  for (const std::string& id : changes.silences) {
    rows.silences.emplace_back(id, copy_of(dispatcher.silences().find(id)));
  }
  rows.history = changes.history;
  rows.events = changes.events;
  return rows;
}

Status write_rows(Database& database, const AlertRows& rows, store::state::EventStore* events) {
  for (const auto& row : rows.alerts) TRY(write_alert(database, row));
  for (const auto& row : rows.groups) TRY(write_group(database, row));
  for (const auto& row : rows.members) TRY(write_member(database, row));
  for (const auto& [log, entry] : rows.log) TRY(write_log(database, log, entry));
  for (const auto& [fingerprint, ack] : rows.acknowledgements) {
    TRY(write_acknowledgement(database, fingerprint, ack));
  }
  for (const auto& [fingerprint, flap] : rows.flaps) TRY(write_flap(database, fingerprint, flap));
  for (const auto& [id, silence] : rows.silences) TRY(write_silence(database, id, silence));
  for (const AlertHistoryEntry& entry : rows.history) TRY(write_history(database, entry));
  if (events == nullptr) return {};
  for (const model::Event& event : rows.events) TRY(events->append(database, event));
  return {};
}

}  // namespace binnacle::watch::alerts
