// What the link hears becomes events: node.connected, node.disconnected, node.left, and whatever
// agents report by their own words as `agent.<kind>`. Publishing waits for the disk, so it is done
// on the pool, in order. Made before the server starts, outlives its I/O threads.
#pragma once

#include <deque>

#include "base/clock.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "link/link_observer.h"
#include "model/event.h"

namespace binnacle::app {

class NodeEvents final : public link::LinkObserver {
 public:
  // All outlive it.
  NodeEvents(model::EventBus& bus, ThreadPool& pool, const Clock& clock, Registry& registry);

  void connected(const model::Node& node) override;
  void event(const model::Node& node, const link::NodeEvent& event) override;
  void disconnected(const model::Node& node, link::LinkEnd how, std::string_view reason) override;

 private:
  void queue(model::Event event) EXCLUDES(mu_);
  void publish_all() EXCLUDES(mu_);

  // Fixed after construction.
  model::EventBus& bus_;
  ThreadPool& pool_;
  Counter& lost_;
  const Clock& clock_;
  const Log log_{"link"};

  Mutex mu_;
  std::deque<model::Event> waiting_ GUARDED_BY(mu_);
  bool publishing_ GUARDED_BY(mu_) = false;  // a work of the pool is at it
};

}  // namespace binnacle::app
