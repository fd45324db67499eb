#include "store/state/event_rows.h"

#include <algorithm>
#include <limits>

namespace binnacle::store::state {
namespace {

Result<std::vector<model::Event>> read_all(Statement rows) {
  std::vector<model::Event> events;
  for (;;) {
    TRY_ASSIGN(const bool row, rows.step());
    if (!row) return events;
    events.push_back({.id = rows.integer(0),
                      .time_ms = rows.integer(1),
                      .kind = rows.text(2),
                      .subject = rows.text(3),
                      .cause_id = rows.integer(4),
                      .data = rows.text(5)});
  }
}

}  // namespace

Result<EventPage> read_events_after(Database& database, std::string_view kind_prefix,
                                    int64_t after_id, size_t limit) {
  EventPage page;
  TRY_ASSIGN(Statement rows,
             database.query("SELECT id, time_ms, kind, subject, cause_id, data FROM events"
                            " WHERE id > ?1 AND substr(kind, 1, length(?2)) = ?2"
                            " ORDER BY id LIMIT ?3",
                            after_id, kind_prefix, limit));
  TRY_ASSIGN(page.events, read_all(std::move(rows)));
  if (page.events.size() == limit) {
    page.seen_up_to = page.events.back().id;
    return page;
  }
  TRY_ASSIGN(const int64_t newest, database.query_integer("SELECT max(id) FROM events"));
  // An empty table has no newest: what was pruned is not to come either.
  page.seen_up_to = std::max(after_id, newest);
  return page;
}

Result<std::vector<model::Event>> read_recent_events(Database& database,
                                                     std::string_view kind_prefix,
                                                     int64_t before_id, size_t limit) {
  const int64_t before = before_id > 0 ? before_id : std::numeric_limits<int64_t>::max();
  TRY_ASSIGN(Statement rows,
             database.query("SELECT id, time_ms, kind, subject, cause_id, data FROM events"
                            " WHERE id < ?1 AND substr(kind, 1, length(?2)) = ?2"
                            " ORDER BY id DESC LIMIT ?3",
                            before, kind_prefix, limit));
  return read_all(std::move(rows));
}

}  // namespace binnacle::store::state
