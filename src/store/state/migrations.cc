#include "store/state/migrations.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

namespace binnacle::store::state {
namespace {

constexpr Migration kStateMigrations[] = {
    {1, "events",
     "CREATE TABLE events ("
     "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
     "  time_ms INTEGER NOT NULL,"
     "  kind TEXT NOT NULL,"
     "  subject TEXT NOT NULL,"
     "  cause_id INTEGER NOT NULL,"
     "  data TEXT NOT NULL CHECK (json_valid(data))"
     ");"
     "CREATE INDEX events_time ON events(time_ms);"
     "CREATE TABLE event_cursors ("
     "  subscriber TEXT PRIMARY KEY,"
     "  last_id INTEGER NOT NULL"
     ") WITHOUT ROWID;"},
    {2, "objects",
     "CREATE TABLE objects ("
     "  kind TEXT NOT NULL,"
     "  name TEXT NOT NULL,"
     "  data TEXT NOT NULL CHECK (json_valid(data)),"
     "  updated_ms INTEGER NOT NULL,"
     "  PRIMARY KEY (kind, name)"
     ") WITHOUT ROWID;"},
    {3, "write probe",
     "CREATE TABLE write_probe ("
     "  id INTEGER PRIMARY KEY CHECK (id = 1),"
     "  time_ms INTEGER NOT NULL"
     ");"},
};

using Applied = std::map<int64_t, std::string>;  // number to name

Result<Applied> read_applied(Database& database) {
  Applied applied;
  TRY_ASSIGN(Statement rows, database.query("SELECT number, name FROM migrations"));
  for (;;) {
    TRY_ASSIGN(const bool row, rows.step());
    if (!row) return applied;
    applied.emplace(rows.integer(0), rows.text(1));
  }
}

int64_t newest(const std::vector<Migration>& migrations) {
  int64_t number = 0;
  for (const Migration& migration : migrations) number = std::max(number, migration.number);
  return number;
}

Status refuse_newer(const Database& database, const Applied& applied,
                    const std::vector<Migration>& known) {
  // From the newest down, so that the message names the newest stranger.
  for (auto it = applied.rbegin(); it != applied.rend(); ++it) {
    const int64_t number = it->first;
    if (std::any_of(known.begin(), known.end(),
                    [&](const Migration& m) { return m.number == number; })) {
      continue;
    }
    return fail(Code::kFailedPrecondition,
                fmt::format("open {}: a newer binnacle wrote it: it holds migration {} (\"{}\"), "
                            "this binary knows migrations up to {}; run the newer binary, or "
                            "restore a backup from before the upgrade",
                            database.path(), number, it->second, newest(known)));
  }
  return {};
}

Status apply(Database& database, const Migration& migration, int64_t now_ms) {
  TRY(database.execute(migration.sql));
  return database.run("INSERT INTO migrations(number, name, applied_ms) VALUES (?, ?, ?)",
                      migration.number, migration.name, now_ms);
}

Status apply_in_transaction(Database& database, const Migration& migration, int64_t now_ms) {
  TRY(database.execute("BEGIN IMMEDIATE"));
  Status status = apply(database, migration, now_ms);
  if (status) status = database.execute("COMMIT");
  if (status) return {};
  if (database.in_transaction()) TRY(database.execute("ROLLBACK"));
  return fail(std::move(status).error().with_context(
      fmt::format("migration {} (\"{}\")", migration.number, migration.name)));
}

}  // namespace

std::span<const Migration> state_migrations() { return kStateMigrations; }

Status migrate(Database& database, std::vector<Migration> migrations, int64_t now_ms) {
  std::sort(migrations.begin(), migrations.end(),
            [](const Migration& a, const Migration& b) { return a.number < b.number; });
  for (size_t i = 1; i < migrations.size(); ++i) {
    CHECK(migrations[i - 1].number != migrations[i].number);
  }
  TRY(
      database.execute("CREATE TABLE IF NOT EXISTS migrations ("
                       "  number INTEGER PRIMARY KEY,"
                       "  name TEXT NOT NULL,"
                       "  applied_ms INTEGER NOT NULL"
                       ")"));
  TRY_ASSIGN(const Applied applied, read_applied(database));
  TRY(refuse_newer(database, applied, migrations));
  for (const Migration& migration : migrations) {
    if (applied.contains(migration.number)) continue;
    TRY(apply_in_transaction(database, migration, now_ms));
  }
  return {};
}

Status require_migrated(Database& database, const std::vector<Migration>& migrations) {
  TRY_ASSIGN(const Applied applied, read_applied(database));
  TRY(refuse_newer(database, applied, migrations));
  if (applied.size() == migrations.size()) return {};
  return fail(Code::kFailedPrecondition,
              fmt::format("open {}: an older binnacle runs on it: it holds migrations up to {}, "
                          "this binary knows up to {}; restart the server with this binary first",
                          database.path(), applied.empty() ? 0 : applied.rbegin()->first,
                          newest(migrations)));
}

}  // namespace binnacle::store::state
