#include "model/event_queue.h"

#include <utility>

namespace binnacle::model {
namespace {

constexpr size_t kMaxWaiting = 4096;

}  // namespace

void EventQueue::post(Event event) {
  if (event.time_ms == 0) event.time_ms = clock_.wall_ms();
  const MutexLock lock(mu_);
  if (waiting_.size() >= kMaxWaiting) return lost_.add();
  waiting_.push_back(std::move(event));
  if (publishing_) return;
  // When the pool is full, the next event tries again for all.
  publishing_ = pool_.post([this] { publish_all(); }).has_value();
}

void EventQueue::publish_all() {
  for (;;) {
    Event event;
    {
      const MutexLock lock(mu_);
      publishing_ = !waiting_.empty();
      if (!publishing_) return;
      event = std::move(waiting_.front());
      waiting_.pop_front();
    }
    const std::string kind = event.kind;
    if (const auto published = bus_.publish(std::move(event)); !published) {
      lost_.add();
      log_.warn("event not stored", {{"kind", kind}, {"error", published.error().message}});
    }
  }
}

}  // namespace binnacle::model
