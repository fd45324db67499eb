#include "store/state/event_store.h"

#include "store/state/event_rows.h"
#include "store/state/event_subscription.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace binnacle::store::state {
namespace {

constexpr int64_t kPruneRows = 2'000;

Result<int64_t> stored_cursor(Database& database, const std::string& subscriber) {
  TRY(
      database.run("INSERT INTO event_cursors(subscriber, last_id)"
                   " SELECT ?, coalesce(max(id), 0) FROM events WHERE true"
                   " ON CONFLICT(subscriber) DO NOTHING",
                   subscriber));
  return database.query_integer("SELECT last_id FROM event_cursors WHERE subscriber = ?",
                                subscriber);
}

}  // namespace

EventStore::EventStore(StateStore& store, const Clock& clock, Registry& registry,
                       EventOptions options)
    : store_(store),
      clock_(clock),
      options_(options),
      published_(registry.counter("binnacle_events_published_total", "Events written.")),
      delivered_(
          registry.counter("binnacle_events_delivered_total", "Events that a subscriber took.")),
      failed_(registry.counter("binnacle_events_delivery_failures_total",
                               "Deliveries that failed and are repeated.")) {
  hook_ = store_.add_commit_hook([this] { wake_all(); });
}

EventStore::~EventStore() {
  store_.remove_commit_hook(hook_);
  std::map<uint64_t, std::shared_ptr<Subscription>> ending;
  {
    MutexLock lock(mu_);
    ending.swap(subscriptions_);
  }
  for (auto& [handle, subscription] : ending) subscription->stop();
}

Result<int64_t> EventStore::publish(model::Event event) {
  int64_t id = 0;
  TRY(store_.write([&](Database& database) -> Status {
    TRY_ASSIGN(id, append(database, event));
    return {};
  }));
  return id;
}

Result<int64_t> EventStore::append(Database& database, model::Event event) {
  if (event.time_ms == 0) event.time_ms = clock_.wall_ms();
  if (event.data.empty()) event.data = "{}";
  TRY(
      database.run("INSERT INTO events(time_ms, kind, subject, cause_id, data)"
                   " VALUES (?, ?, ?, ?, ?)",
                   event.time_ms, event.kind, event.subject, event.cause_id, event.data));
  published_.add();
  appended_ = true;
  return database.last_insert_id();
}

Result<uint64_t> EventStore::subscribe(std::string subscriber, std::string kind_prefix,
                                       Deliver deliver) {
  // Held over the write, so that of two with one name the second sees the first.
  MutexLock changing(subscribe_mu_);
  {
    MutexLock lock(mu_);
    if (subscriptions_.size() >= options_.max_subscriptions) {
      return fail(Code::kResourceExhausted,
                  fmt::format("subscribe {}: {} subscriptions are the most", subscriber,
                              options_.max_subscriptions));
    }
    for (const auto& [handle, other] : subscriptions_) {
      if (other->subscriber() != subscriber) continue;
      return fail(Code::kAlreadyExists,
                  fmt::format("subscribe {}: the name is subscribed already", subscriber));
    }
  }
  int64_t cursor = 0;
  TRY(store_.write([&](Database& database) -> Status {
    TRY_ASSIGN(cursor, stored_cursor(database, subscriber));
    return {};
  }));
  Subscription::Facts facts{.subscriber = std::move(subscriber),
                            .kind_prefix = std::move(kind_prefix),
                            .deliver = std::move(deliver),
                            .cursor = cursor};
  MutexLock lock(mu_);
  subscriptions_.emplace(
      next_handle_,
      std::make_shared<Subscription>(store_, std::move(facts), options_, delivered_, failed_));
  return next_handle_++;
}

void EventStore::unsubscribe(uint64_t handle) {
  std::shared_ptr<Subscription> ending;
  {
    MutexLock lock(mu_);
    const auto it = subscriptions_.find(handle);
    if (it == subscriptions_.end()) return;
    ending = std::move(it->second);
    subscriptions_.erase(it);
  }
  ending->stop();
}

void EventStore::wake_all() {
  if (!appended_.exchange(false)) return;
  MutexLock lock(mu_);
  for (auto& [handle, subscription] : subscriptions_) subscription->wake();
}

Result<std::vector<model::Event>> EventStore::recent(std::string_view kind_prefix,
                                                     int64_t before_id, size_t limit) {
  std::vector<model::Event> events;
  TRY(store_.read([&](Database& database) -> Status {
    TRY_ASSIGN(events, read_recent_events(database, kind_prefix, before_id, limit));
    return {};
  }));
  return events;
}

int64_t EventStore::smallest_cursor() {
  MutexLock lock(mu_);
  int64_t smallest = std::numeric_limits<int64_t>::max();
  for (const auto& [handle, subscription] : subscriptions_) {
    smallest = std::min(smallest, subscription->cursor());
  }
  return smallest;
}

Result<int64_t> EventStore::prune(const EventRetention& retention) {
  const int64_t oldest_ms = clock_.wall_ms() - retention.max_age_ms;
  const int64_t taken_by_all = smallest_cursor();
  int64_t over_count = 0;  // the newest id that exceeds the count
  TRY(store_.read([&](Database& database) -> Status {
    TRY_ASSIGN(over_count,
               database.query_integer("SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?",
                                      retention.max_count));
    return {};
  }));
  int64_t removed = 0;
  for (;;) {
    int64_t rows = 0;
    TRY(store_.write([&](Database& database) -> Status {
      TRY(
          database.run("DELETE FROM events WHERE id IN (SELECT id FROM events"
                       " WHERE id <= ? OR (time_ms < ? AND id <= ?) LIMIT ?)",
                       over_count, oldest_ms, taken_by_all, kPruneRows));
      rows = database.changes();
      return {};
    }));
    removed += rows;
    if (rows < kPruneRows) return removed;
  }
}

}  // namespace binnacle::store::state
