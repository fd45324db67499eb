// Notifications on their way: each integration of a receiver has a queue of its own, tries with
// growing pauses until the deadline, sends a few at once and no more a minute than it may. Says
// what to send when; its owner does the I/O. Pure; the owner's lock guards it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "watch/alerts/alert_limits.h"
#include "watch/alerts/notification.h"

namespace binnacle::watch::alerts {

// An integration: its receiver and "webhook[0]".
using DeliveryTarget = std::pair<std::string, std::string>;
std::string integration_name(const Integration& integration);  // "webhook[0]"

struct Delivery {
  uint64_t id = 0;
  DeliveryTarget target;
  std::shared_ptr<const Notification> notification;  // shared with the send in progress
  int64_t deadline_ms = 0;
  int64_t max_per_minute = 0;  // 0: as many as there are
};

struct DeliveryAttempt {
  uint64_t id = 0;
  DeliveryTarget target;
  std::shared_ptr<const Notification> notification;
  int64_t timeout_ms = 0;
};

struct DeliveryEnd {
  uint64_t id = 0;
  bool sent = false;
  int attempts = 0;
  std::string error;
};

class Deliveries {
 public:
  Deliveries(AlertLimits limits, Random& random) : limits_(limits), random_(random) {}

  // What is on its way goes on where there is more than may be.
  void set_limits(const AlertLimits& limits) { limits_ = limits; }

  void add(Delivery delivery, int64_t now_ms);
  // Forgets it; a send in progress changes nothing any more.
  void cancel(uint64_t id);
  // What to send now.
  std::vector<DeliveryAttempt> take_due(int64_t now_ms);
  void attempted(uint64_t id, const SendOutcome& outcome, int64_t now_ms);
  // What came to its end since the last call.
  std::vector<DeliveryEnd> take_ended() { return std::exchange(ended_, {}); }
  int64_t next_due_ms(int64_t now_ms) const;
  // The wall clock jumped.
  void shift_ms(int64_t by_ms);

  size_t size() const { return deliveries_.size(); }
  size_t waiting(const DeliveryTarget& target) const;

 private:
  struct Pending {
    Delivery delivery;
    int attempts = 0;
    int64_t next_ms = 0;
    int64_t pause_ms = 500;
    bool in_flight = false;
    std::string error;
  };
  struct Queue {
    std::set<std::pair<int64_t, uint64_t>> waiting;  // when, id
    size_t in_flight = 0;
    std::deque<int64_t> sends;  // of the last minute
  };

  int64_t allowed_at_ms(const Queue& queue, int64_t max_per_minute) const;
  void start(Queue& queue, Pending& pending, int64_t now_ms, std::vector<DeliveryAttempt>& out);
  void end(uint64_t id, bool sent, std::string error);
  void retry(Pending& pending, const SendOutcome& outcome, int64_t now_ms);
  void expire(int64_t now_ms);

  AlertLimits limits_;
  Random& random_;
  std::map<uint64_t, Pending> deliveries_;
  std::map<DeliveryTarget, Queue> queues_;
  std::map<uint64_t, DeliveryTarget> orphans_;  // cancelled, with a send still in progress
  std::set<std::pair<int64_t, uint64_t>> deadlines_;
  std::vector<DeliveryEnd> ended_;
};

}  // namespace binnacle::watch::alerts
