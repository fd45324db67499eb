#include "watch/health/health_history.h"

#include <limits>

namespace binnacle::watch::health {
namespace {

using store::state::Database;
using store::state::Statement;

constexpr int64_t kPruneAtOnce = 4096;

constexpr store::state::Migration kHealthMigrations[] = {
    {300, "health history",
     "CREATE TABLE health_history ("
     "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
     "  time_ms INTEGER NOT NULL,"
     "  scope TEXT NOT NULL CHECK (scope IN ('check', 'component', 'node', 'cluster')),"
     "  name TEXT NOT NULL,"
     "  component TEXT NOT NULL,"
     "  node TEXT NOT NULL,"
     "  before TEXT NOT NULL,"
     "  after TEXT NOT NULL,"
     "  score INTEGER,"
     "  deciding TEXT NOT NULL,"
     "  reason TEXT NOT NULL"
     ");"
     "CREATE INDEX health_history_time ON health_history(time_ms);"
     "CREATE INDEX health_history_name ON health_history(name, id);"
     "CREATE INDEX health_history_component ON health_history(component, id);"},
};

Status insert(Database& database, const HealthChange& change) {
  TRY_ASSIGN(Statement row,
             database.query("INSERT INTO health_history(time_ms, scope, name, component, node,"
                            " before, after, score, deciding, reason)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                            change.at_ms, scope_name(change.scope), change.name, change.component,
                            change.node, health_name(change.from), health_name(change.to)));
  if (change.score) {
    row.bind(8, *change.score);
  } else {
    row.bind(8, std::nullopt);
  }
  row.bind(9, change.deciding);
  row.bind(10, change.reason);
  return row.run();
}

HealthChange change_of(const Statement& row) {
  HealthChange change;
  change.id = row.integer(0);
  change.at_ms = row.integer(1);
  change.scope = scope_of_name(row.text(2)).value_or(Scope::kCheck);
  change.name = row.text(3);
  change.component = row.text(4);
  change.node = row.text(5);
  change.from = health_of_name(row.text(6)).value_or(Health::kUnknown);
  change.to = health_of_name(row.text(7)).value_or(Health::kUnknown);
  if (!row.is_null(8)) change.score = static_cast<int>(row.integer(8));
  change.deciding = row.text(9);
  change.reason = row.text(10);
  return change;
}

}  // namespace

std::span<const store::state::Migration> health_migrations() { return kHealthMigrations; }

Status HealthHistory::add(std::span<const HealthChange> changes) {
  return store_.write([changes](Database& database) -> Status {
    for (const HealthChange& change : changes) TRY(insert(database, change));
    return {};
  });
}

Result<std::vector<HealthChange>> HealthHistory::recent(const HistoryQuery& query) {
  std::vector<HealthChange> changes;
  const int64_t before =
      query.before_id > 0 ? query.before_id : std::numeric_limits<int64_t>::max();
  const std::string scope = query.scope ? std::string(scope_name(*query.scope)) : "";
  TRY(store_.read([&](Database& database) -> Status {
    changes.clear();
    TRY_ASSIGN(
        Statement rows,
        database.query("SELECT id, time_ms, scope, name, component, node, before, after, score,"
                       " deciding, reason FROM health_history WHERE id < ?1"
                       " AND (?2 = '' OR scope = ?2) AND (?3 = '' OR name = ?3)"
                       " AND (?4 = '' OR component = ?4) AND (?5 = '' OR node = ?5)"
                       " ORDER BY id DESC LIMIT ?6",
                       before, scope, query.name, query.component, query.node, query.limit));
    for (;;) {
      TRY_ASSIGN(const bool row, rows.step());
      if (!row) return {};
      changes.push_back(change_of(rows));
    }
  }));
  return changes;
}

Result<int64_t> HealthHistory::prune(const HistoryRetention& retention, int64_t now_ms) {
  int64_t all = 0;
  for (int64_t removed = kPruneAtOnce; removed == kPruneAtOnce; all += removed) {
    TRY(store_.write([&](Database& database) -> Status {
      TRY(
          database.run("DELETE FROM health_history WHERE id IN (SELECT id FROM health_history"
                       " WHERE time_ms < ?1 OR id <= (SELECT max(id) FROM health_history) - ?2"
                       " ORDER BY id LIMIT ?3)",
                       now_ms - retention.max_age_ms, retention.max_count, kPruneAtOnce));
      removed = database.changes();
      return {};
    }));
  }
  return all;
}

}  // namespace binnacle::watch::health
