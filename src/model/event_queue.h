// Events of callers that must not wait for the disk: kept in order and published from a pool.
// Bounded; what finds no room or cannot be stored is counted and logged. Any thread; outlives the
// work that it gave to the pool, so the pool is stopped first.
#pragma once

#include <deque>

#include "base/clock.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "model/event.h"

namespace binnacle::model {

class EventQueue {
 public:
  // All outlive it.
  EventQueue(EventBus& bus, ThreadPool& pool, const Clock& clock, Counter& lost)
      : bus_(bus), pool_(pool), clock_(clock), lost_(lost) {}

  // Without a time: now.
  void post(Event event) EXCLUDES(mu_);

 private:
  void publish_all() EXCLUDES(mu_);

  // Fixed after construction.
  EventBus& bus_;
  ThreadPool& pool_;
  const Clock& clock_;
  Counter& lost_;
  const Log log_{"events"};

  Mutex mu_;
  std::deque<Event> waiting_ GUARDED_BY(mu_);
  bool publishing_ GUARDED_BY(mu_) = false;  // a work of the pool is at it
};

}  // namespace binnacle::model
