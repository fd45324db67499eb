// The event bus on the state file: an event is a row before anyone hears of it, each subscriber
// keeps a cursor. Every subscription has a thread of its own, so that a slow or failing one holds
// up no other. Any thread but I/O threads. The StateStore outlives it.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "model/event.h"
#include "store/state/state_store.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace binnacle::store::state {

struct EventOptions {
  // After a failed delivery the same event comes again, after this time, doubled up to the longest.
  int64_t first_retry_ms = 100;
  int64_t longest_retry_ms = 30'000;
  size_t max_subscriptions = 64;
};

struct EventRetention {
  int64_t max_age_ms = int64_t{90} * 24 * 3600 * 1000;
  int64_t max_count = 1'000'000;
};

class EventStore final : public model::EventBus {
 public:
  EventStore(StateStore& store, const Clock& clock, Registry& registry, EventOptions options = {});
  ~EventStore() override;  // ends all subscriptions
  EventStore(const EventStore&) = delete;
  EventStore& operator=(const EventStore&) = delete;

  // A time of 0 becomes now. kInvalidArgument when `data` is not JSON (empty stands for {}).
  Result<int64_t> publish(model::Event event) override;
  // The same as part of a larger write of the state store: the event is there exactly when that
  // commits.
  Result<int64_t> append(Database& database, model::Event event);

  // A name that was never seen starts at the newest event. kAlreadyExists while the name is
  // subscribed. `deliver` must return when the process is to stop; unsubscribe() waits for it.
  Result<uint64_t> subscribe(std::string subscriber, std::string kind_prefix,
                             Deliver deliver) override EXCLUDES(subscribe_mu_, mu_);
  // Not from inside the subscription's own `deliver`.
  void unsubscribe(uint64_t handle) override EXCLUDES(mu_);

  Result<std::vector<model::Event>> recent(std::string_view kind_prefix, int64_t before_id,
                                           size_t limit) override;

  // Removes events past their age that every present subscriber has taken, and whatever exceeds the
  // count, taken or not. Answers how many. A few thousand rows a write, so that other writers get
  // their turn.
  Result<int64_t> prune(const EventRetention& retention) EXCLUDES(mu_);

 private:
  class Subscription;
  void wake_all() EXCLUDES(mu_);
  int64_t smallest_cursor() EXCLUDES(mu_);

  // Fixed after construction.
  StateStore& store_;
  const Clock& clock_;
  const EventOptions options_;
  Counter& published_;
  Counter& delivered_;
  Counter& failed_;
  uint64_t hook_ = 0;

  std::atomic<bool> appended_ = false;  // an event since the last wake-up

  Mutex subscribe_mu_;  // before mu_
  Mutex mu_;
  std::map<uint64_t, std::shared_ptr<Subscription>> subscriptions_ GUARDED_BY(mu_);
  uint64_t next_handle_ GUARDED_BY(mu_) = 1;
};

}  // namespace binnacle::store::state
