#include "watch/rules/rule_state.h"

#include <algorithm>

namespace binnacle::watch::rules {
namespace {

using store::state::Blob;
using store::state::Database;
using store::state::Statement;

constexpr store::state::Migration kRuleMigrations[] = {
    {400, "alerts of rules",
     "CREATE TABLE rule_alerts ("
     "  file TEXT NOT NULL,"
     "  rule_group TEXT NOT NULL,"
     "  rule TEXT NOT NULL,"
     "  labels BLOB NOT NULL,"
     "  annotations BLOB NOT NULL,"
     "  state INTEGER NOT NULL,"
     "  value REAL,"
     "  active_at_ms INTEGER NOT NULL,"
     "  fired_at_ms INTEGER NOT NULL,"
     "  resolved_at_ms INTEGER NOT NULL,"
     "  last_sent_ms INTEGER NOT NULL,"
     "  valid_until_ms INTEGER NOT NULL,"
     "  keep_firing_since_ms INTEGER NOT NULL,"
     "  PRIMARY KEY (file, rule_group, rule, labels)"
     ") WITHOUT ROWID;"
     "CREATE TABLE rule_clock ("
     "  id INTEGER PRIMARY KEY CHECK (id = 1),"
     "  ran_until_ms INTEGER NOT NULL"
     ");"},
};

model::Labels labels_of_blob(const std::string& packed) {
  return model::Labels(model::LabelsView(packed));
}

RestoredAlert alert_of(const Statement& row) {
  RestoredAlert out{row.text(0), row.text(1), row.text(2), {}};
  ActiveAlert& alert = out.alert;
  alert.labels = labels_of_blob(row.blob(3));
  alert.annotations = labels_of_blob(row.blob(4));
  alert.state = static_cast<AlertState>(
      std::clamp<int64_t>(row.integer(5), 0, static_cast<int64_t>(AlertState::kFiring)));
  alert.value = row.real(6);
  alert.active_at_ms = row.integer(7);
  alert.fired_at_ms = row.integer(8);
  alert.resolved_at_ms = row.integer(9);
  alert.last_sent_ms = row.integer(10);
  alert.valid_until_ms = row.integer(11);
  alert.keep_firing_since_ms = row.integer(12);
  return out;
}

Status put(Database& database, const RuleGroup& group, const StoredAlert& stored) {
  if (!stored.alert.now) {
    return database.run(
        "DELETE FROM rule_alerts WHERE file = ?1 AND rule_group = ?2 AND rule = ?3"
        " AND labels = ?4",
        group.file, group.name, stored.rule, Blob{stored.alert.labels});
  }
  const ActiveAlert& alert = *stored.alert.now;
  return database.run(
      "INSERT OR REPLACE INTO rule_alerts(file, rule_group, rule, labels, annotations, state,"
      " value, active_at_ms, fired_at_ms, resolved_at_ms, last_sent_ms, valid_until_ms,"
      " keep_firing_since_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
      group.file, group.name, stored.rule, Blob{stored.alert.labels},
      Blob{alert.annotations.packed()}, static_cast<int64_t>(alert.state), alert.value,
      alert.active_at_ms, alert.fired_at_ms, alert.resolved_at_ms, alert.last_sent_ms,
      alert.valid_until_ms, alert.keep_firing_since_ms);
}

}  // namespace

std::span<const store::state::Migration> rule_migrations() { return kRuleMigrations; }

Result<RuleState::Load> RuleState::load() {
  Load out;
  TRY(store_.read([&](Database& database) -> Status {
    out = {};
    TRY_ASSIGN(out.ran_until_ms, database.query_integer("SELECT ran_until_ms FROM rule_clock"));
    TRY_ASSIGN(Statement rows,
               database.query("SELECT file, rule_group, rule, labels, annotations, state, value,"
                              " active_at_ms, fired_at_ms, resolved_at_ms, last_sent_ms,"
                              " valid_until_ms, keep_firing_since_ms FROM rule_alerts"));
    for (;;) {
      TRY_ASSIGN(const bool row, rows.step());
      if (!row) return {};
      out.alerts.push_back(alert_of(rows));
    }
  }));
  return out;
}

Status RuleState::write(const RuleGroup& group, std::vector<StoredAlert> changes,
                        int64_t ran_until_ms) {
  if (changes.empty() && ran_until_ms == 0) return {};
  return store_.write([&](Database& database) -> Status {
    for (const StoredAlert& change : changes) TRY(put(database, group, change));
    if (ran_until_ms == 0) return {};
    return database.run("INSERT OR REPLACE INTO rule_clock(id, ran_until_ms) VALUES (1, ?1)",
                        ran_until_ms);
  });
}

Status RuleState::forget_group(const std::string& file, const std::string& group) {
  return store_.write([&](Database& database) {
    return database.run("DELETE FROM rule_alerts WHERE file = ?1 AND rule_group = ?2", file, group);
  });
}

Status RuleState::forget_all() {
  return store_.write([](Database& database) { return database.run("DELETE FROM rule_alerts"); });
}

}  // namespace binnacle::watch::rules
