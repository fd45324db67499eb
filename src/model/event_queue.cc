#include "model/event_queue.h"

#include <utility>

namespace binnacle::model {
namespace {

constexpr size_t kMaxWaiting = 4096;

}  // namespace

EventQueue::EventQueue(EventBus& bus, ThreadPool& pool, const Clock& clock, Counter& lost)
    : bus_(bus), clock_(clock), lost_(lost), work_(pool, kMaxWaiting) {}

void EventQueue::post(Event event) {
  if (event.time_ms == 0) event.time_ms = clock_.wall_ms();
  if (!work_.post([this, event = std::move(event)]() mutable { publish(std::move(event)); }))
    lost_.add();
}

void EventQueue::publish(Event event) {
  const std::string kind = event.kind;
  if (const auto published = bus_.publish(std::move(event)); !published) {
    lost_.add();
    log_.warn("event not stored", {{"kind", kind}, {"error", published.error().message}});
  }
}

}  // namespace binnacle::model
