#include "watch/alerts/alert_history.h"

#include <algorithm>
#include <limits>

namespace binnacle::watch::alerts {
namespace {

using store::state::Database;
using store::state::Statement;

constexpr int64_t kPruneAtOnce = 4096;
constexpr size_t kLookedAt = 100'000;
constexpr size_t kMostAnswered = 10'000;

AlertHistoryEntry entry_of(const Statement& row) {
  return {.id = row.integer(0),
          .time_ms = row.integer(1),
          .kind = row.text(2),
          .fingerprint = static_cast<uint64_t>(row.integer(3)),
          .labels = model::Labels(model::LabelsView(row.blob(4))),
          .group_key = row.text(5),
          .receiver = row.text(6),
          .text = row.text(7)};
}

// "team" asks for all its integrations, "team/webhook[0]" for one.
bool of_receiver(const std::string& receiver, const std::string& asked) {
  return asked.empty() || receiver == asked || receiver.starts_with(asked + "/");
}

}  // namespace

Result<std::vector<AlertHistoryEntry>> AlertHistory::search(const AlertHistoryQuery& query,
                                                            int64_t now_ms) {
  std::vector<AlertHistoryEntry> found;
  const size_t limit = std::min(query.limit, kMostAnswered);
  const int64_t before =
      query.before_id > 0 ? query.before_id : std::numeric_limits<int64_t>::max();
  const int64_t to_ms = query.to_ms > 0 ? query.to_ms : now_ms;
  TRY(store_.read([&](Database& database) -> Status {
    found.clear();
    TRY_ASSIGN(
        Statement rows,
        database.query("SELECT id, time_ms, kind, fingerprint, labels, group_key, receiver, text"
                       " FROM alert_history WHERE id < ?1 AND time_ms >= ?2 AND time_ms <= ?3"
                       " AND (?4 = '' OR kind = ?4) ORDER BY id DESC LIMIT ?5",
                       before, query.from_ms, to_ms, query.kind, kLookedAt));
    while (found.size() < limit) {
      TRY_ASSIGN(const bool row, rows.step());
      if (!row) return {};
      AlertHistoryEntry entry = entry_of(rows);
      if (of_receiver(entry.receiver, query.receiver) &&
          model::matches_all(query.matchers, entry.labels)) {
        found.push_back(std::move(entry));
      }
    }
    return {};
  }));
  return found;
}

Result<int64_t> AlertHistory::prune(const AlertLimits& limits, int64_t now_ms) {
  int64_t all = 0;
  for (int64_t removed = kPruneAtOnce; removed == kPruneAtOnce; all += removed) {
    TRY(store_.write([&](Database& database) -> Status {
      TRY(
          database.run("DELETE FROM alert_history WHERE id IN (SELECT id FROM alert_history"
                       " WHERE time_ms < ?1 OR id <= (SELECT max(id) FROM alert_history) - ?2"
                       " ORDER BY id LIMIT ?3)",
                       now_ms - limits.history_max_age_ms, limits.history_max_count, kPruneAtOnce));
      removed = database.changes();
      return {};
    }));
  }
  return all;
}

}  // namespace binnacle::watch::alerts
