#include "watch/alerts/deliveries.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace binnacle::watch::alerts {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kLongestPauseMs = 60'000;
// A send ends by itself within its timeout; this much later it is given up.
constexpr int64_t kGraceMs = 1'000;

}  // namespace

std::string integration_name(const Integration& integration) {
  return fmt::format("{}[{}]", integration.kind, integration.index);
}

void Deliveries::add(Delivery delivery, int64_t now_ms) {
  Queue& queue = queues_[delivery.target];
  const uint64_t id = delivery.id;
  if (queue.waiting.size() >= limits_.max_sends_waiting) {
    ended_.push_back(
        {.id = id,
         .error = fmt::format("{} notifications wait for it already", queue.waiting.size())});
    return;
  }
  queue.waiting.insert({now_ms, id});
  deadlines_.insert({delivery.deadline_ms, id});
  deliveries_[id] = Pending{.delivery = std::move(delivery), .next_ms = now_ms};
}

void Deliveries::cancel(uint64_t id) {
  const auto it = deliveries_.find(id);
  if (it == deliveries_.end()) return;
  if (it->second.in_flight) orphans_[id] = it->second.delivery.target;
  queues_[it->second.delivery.target].waiting.erase({it->second.next_ms, id});
  deadlines_.erase({it->second.delivery.deadline_ms, id});
  deliveries_.erase(it);
}

int64_t Deliveries::allowed_at_ms(const Queue& queue, int64_t max_per_minute) const {
  if (max_per_minute <= 0 || queue.sends.size() < static_cast<size_t>(max_per_minute)) return 0;
  return queue.sends[queue.sends.size() - static_cast<size_t>(max_per_minute)] + kMinuteMs;
}

std::vector<DeliveryAttempt> Deliveries::take_due(int64_t now_ms) {
  expire(now_ms);
  std::vector<DeliveryAttempt> due;
  for (auto it = queues_.begin(); it != queues_.end();) {
    Queue& queue = it->second;
    while (!queue.sends.empty() && queue.sends.front() <= now_ms - kMinuteMs) {
      queue.sends.pop_front();
    }
    while (!queue.waiting.empty() && queue.waiting.begin()->first <= now_ms &&
           queue.in_flight < limits_.max_sends_at_once) {
      Pending& pending = deliveries_.at(queue.waiting.begin()->second);
      if (allowed_at_ms(queue, pending.delivery.max_per_minute) > now_ms) break;
      start(queue, pending, now_ms, due);
    }
    const bool idle = queue.waiting.empty() && queue.in_flight == 0 && queue.sends.empty();
    it = idle ? queues_.erase(it) : std::next(it);
  }
  return due;
}

void Deliveries::start(Queue& queue, Pending& pending, int64_t now_ms,
                       std::vector<DeliveryAttempt>& out) {
  queue.waiting.erase({pending.next_ms, pending.delivery.id});
  queue.sends.push_back(now_ms);
  ++queue.in_flight;
  ++pending.attempts;
  pending.in_flight = true;
  out.push_back({.id = pending.delivery.id,
                 .target = pending.delivery.target,
                 .notification = pending.delivery.notification,
                 .timeout_ms = pending.delivery.deadline_ms - now_ms});
}

void Deliveries::attempted(uint64_t id, const SendOutcome& outcome, int64_t now_ms) {
  if (const auto orphan = orphans_.find(id); orphan != orphans_.end()) {
    --queues_[orphan->second].in_flight;
    orphans_.erase(orphan);
    return;
  }
  const auto it = deliveries_.find(id);
  if (it == deliveries_.end() || !it->second.in_flight) return;
  --queues_[it->second.delivery.target].in_flight;
  it->second.in_flight = false;
  switch (outcome.kind) {
    case SendOutcome::Kind::kSent:
      end(id, true, "");
      return;
    case SendOutcome::Kind::kFailed:
      end(id, false, outcome.message);
      return;
    case SendOutcome::Kind::kRetry:
      retry(it->second, outcome, now_ms);
      return;
  }
}

void Deliveries::retry(Pending& pending, const SendOutcome& outcome, int64_t now_ms) {
  pending.error = outcome.message;
  // Half to one and a half of a pause that grows by half each time.
  const auto spread =
      static_cast<int64_t>(static_cast<double>(pending.pause_ms) * (0.5 + random_.unit()));
  pending.pause_ms = std::min(pending.pause_ms * 3 / 2, kLongestPauseMs);
  pending.next_ms = now_ms + std::max(spread, outcome.retry_after_ms);
  if (pending.next_ms >= pending.delivery.deadline_ms) {
    end(pending.delivery.id, false, pending.error);
    return;
  }
  queues_[pending.delivery.target].waiting.insert({pending.next_ms, pending.delivery.id});
}

void Deliveries::end(uint64_t id, bool sent, std::string error) {
  const auto it = deliveries_.find(id);
  CHECK(it != deliveries_.end());
  ended_.push_back(
      {.id = id, .sent = sent, .attempts = it->second.attempts, .error = std::move(error)});
  deadlines_.erase({it->second.delivery.deadline_ms, id});
  deliveries_.erase(it);
}

void Deliveries::expire(int64_t now_ms) {
  std::vector<uint64_t> over;
  for (const auto& [deadline_ms, id] : deadlines_) {
    if (deadline_ms > now_ms) break;
    if (!deliveries_.at(id).in_flight || deadline_ms + kGraceMs <= now_ms) over.push_back(id);
  }
  for (const uint64_t id : over) {
    Pending& pending = deliveries_.at(id);
    if (pending.in_flight) orphans_[id] = pending.delivery.target;
    queues_[pending.delivery.target].waiting.erase({pending.next_ms, id});
    if (pending.error.empty()) {
      pending.error = pending.in_flight ? "no answer before the deadline"
                                        : "its turn did not come before the deadline";
    }
    end(id, false, pending.error);
  }
}

int64_t Deliveries::next_due_ms(int64_t now_ms) const {
  int64_t next = INT64_MAX;
  if (!ended_.empty()) return now_ms;
  for (const auto& [deadline_ms, id] : deadlines_) {
    next = std::min(next, deadline_ms + kGraceMs);
    if (!deliveries_.at(id).in_flight) {
      next = std::min(next, deadline_ms);
      break;
    }
  }
  for (const auto& [target, queue] : queues_) {
    if (queue.waiting.empty() || queue.in_flight >= limits_.max_sends_at_once) continue;
    const auto& [when_ms, id] = *queue.waiting.begin();
    const Delivery& first = deliveries_.at(id).delivery;
    next = std::min(next, std::max(when_ms, allowed_at_ms(queue, first.max_per_minute)));
  }
  return next;
}

void Deliveries::shift_ms(int64_t by_ms) {
  deadlines_.clear();
  for (auto& [id, pending] : deliveries_) {
    pending.delivery.deadline_ms += by_ms;
    pending.next_ms += by_ms;
    deadlines_.insert({pending.delivery.deadline_ms, id});
  }
  for (auto& [target, queue] : queues_) {
    std::set<std::pair<int64_t, uint64_t>> waiting;
    for (const auto& [when_ms, id] : queue.waiting) waiting.insert({when_ms + by_ms, id});
    queue.waiting = std::move(waiting);
    for (int64_t& sent_ms : queue.sends) sent_ms += by_ms;
  }
}

size_t Deliveries::waiting(const DeliveryTarget& target) const {
  const auto it = queues_.find(target);
  return it == queues_.end() ? 0 : it->second.waiting.size() + it->second.in_flight;
}

}  // namespace binnacle::watch::alerts
