// Events of callers that must not wait for the disk: kept in order and published from a pool.
// Bounded; what finds no room or cannot be stored is counted and logged. Any thread; outlives the
// work that it gave to the pool, so the pool is stopped first.
#pragma once

#include "base/clock.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/ordered_work.h"
#include "base/thread_pool.h"
#include "model/event.h"

namespace binnacle::model {

class EventQueue {
 public:
  // All outlive it.
  EventQueue(EventBus& bus, ThreadPool& pool, const Clock& clock, Counter& lost);

  // Without a time: now.
  void post(Event event);

 private:
  void publish(Event event);

  // Fixed after construction.
  EventBus& bus_;
  const Clock& clock_;
  Counter& lost_;
  const Log log_{"events"};

  OrderedWork work_;
};

}  // namespace binnacle::model
