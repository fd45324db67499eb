#include "store/state/event_subscription.h"

#include "base/check.h"
#include "store/state/event_rows.h"

#include <pthread.h>
#include <algorithm>

namespace binnacle::store::state {
namespace {

constexpr size_t kPageEvents = 128;

}  // namespace

EventStore::Subscription::Subscription(StateStore& store, Facts facts, EventOptions options,
                                       Counter& delivered, Counter& failed)
    : store_(store),
      facts_(std::move(facts)),
      options_(options),
      delivered_(delivered),
      failed_(failed),
      cursor_(facts_.cursor),
      stored_cursor_(facts_.cursor),
      thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "events");
}

EventStore::Subscription::~Subscription() { stop(); }

void EventStore::Subscription::wake() {
  {
    MutexLock lock(mu_);
    woken_ = true;
  }
  wake_.notify_one();
}

void EventStore::Subscription::stop() {
  if (!thread_.joinable()) return;
  CHECK(thread_.get_id() != std::this_thread::get_id());  // a delivery cannot wait for its own end
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void EventStore::Subscription::run() {
  int64_t retry_ms = 0;
  while (wait(retry_ms)) {
    const Status status = deliver_pending();
    if (status) {
      retry_ms = 0;
      continue;
    }
    failed_.add();
    retry_ms = std::min(std::max(retry_ms * 2, options_.first_retry_ms), options_.longest_retry_ms);
    log_.warn("event delivery failed and will be repeated", {{"subscriber", facts_.subscriber},
                                                             {"after_event", cursor()},
                                                             {"retry_ms", retry_ms},
                                                             {"error", status.error().message}});
  }
}

bool EventStore::Subscription::wait(int64_t retry_ms) {
  MutexLock lock(mu_);
  if (retry_ms > 0) {
    // New events do not shorten the pause: they come after the one that failed. A spurious wake
    // does, by a harmless early try.
    if (!stopping_) wake_.wait_for_ms(mu_, retry_ms);
  } else {
    while (!woken_ && !stopping_) wake_.wait(mu_);
  }
  woken_ = false;
  return !stopping_;
}

bool EventStore::Subscription::stopping() {
  MutexLock lock(mu_);
  return stopping_;
}

Status EventStore::Subscription::deliver_pending() {
  while (!stopping()) {
    EventPage page;
    TRY(store_.read([&](Database& database) -> Status {
      TRY_ASSIGN(page, read_events_after(database, facts_.kind_prefix, cursor(), kPageEvents));
      return {};
    }));
    const Status delivered = deliver_page(page.events);
    const bool whole_page = page.events.empty() || cursor() == page.events.back().id;
    if (delivered && whole_page) cursor_ = page.seen_up_to;
    // Skipped kinds alone are not worth a write: reading past them again is cheap.
    if (!page.events.empty()) TRY(store_cursor());
    if (!delivered) return delivered;
    if (page.events.size() < kPageEvents) return {};
  }
  return {};
}

Status EventStore::Subscription::deliver_page(const std::vector<model::Event>& events) {
  for (const model::Event& event : events) {
    if (stopping()) return {};
    CHECK(event.id > cursor());
    TRY(facts_.deliver(event));
    delivered_.add();
    cursor_ = event.id;
  }
  return {};
}

Status EventStore::Subscription::store_cursor() {
  if (cursor() == stored_cursor_) return {};
  TRY(store_.write([this](Database& database) {
    return database.run("UPDATE event_cursors SET last_id = ? WHERE subscriber = ?", cursor(),
                        facts_.subscriber);
  }));
  stored_cursor_ = cursor();
  return {};
}

}  // namespace binnacle::store::state
