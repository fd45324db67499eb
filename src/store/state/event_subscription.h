// One subscriber's delivery: reads what lies after its cursor, calls `deliver` event by event,
// moves the cursor behind each success and writes it down page by page. Owned by the EventStore;
// its thread runs from construction to stop().
#pragma once

#include "base/error.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/mutex.h"
#include "store/state/event_store.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace binnacle::store::state {

class EventStore::Subscription {
 public:
  struct Facts {
    std::string subscriber;
    std::string kind_prefix;
    Deliver deliver;
    int64_t cursor = 0;  // as stored
  };
  Subscription(StateStore& store, Facts facts, EventOptions options, Counter& delivered,
               Counter& failed);
  ~Subscription();  // stop()

  void wake() EXCLUDES(mu_);
  void stop() EXCLUDES(mu_);  // after the delivery in progress; stores the cursor
  int64_t cursor() const { return cursor_.load(); }
  const std::string& subscriber() const { return facts_.subscriber; }

 private:
  void run();
  // False: stop. Returns when woken, or when the retry time is over (0: no retry waits).
  bool wait(int64_t retry_ms) EXCLUDES(mu_);
  bool stopping() EXCLUDES(mu_);
  Status deliver_pending();
  Status deliver_page(const std::vector<model::Event>& events);
  Status store_cursor();

  // Fixed after construction.
  StateStore& store_;
  const Facts facts_;
  const EventOptions options_;
  Counter& delivered_;
  Counter& failed_;
  const Log log_{"events"};

  std::atomic<int64_t> cursor_;  // written by the thread, read by prune()
  int64_t stored_cursor_;        // the thread's

  Mutex mu_;
  CondVar wake_;
  bool woken_ GUARDED_BY(mu_) = true;  // begins with what came while nobody listened
  bool stopping_ GUARDED_BY(mu_) = false;

  std::thread thread_;  // last, so that it starts when all else is there
};

}  // namespace binnacle::store::state
