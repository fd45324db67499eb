// What the link hears becomes events: node.connected, node.disconnected, node.left, and whatever
// agents report by their own words as `agent.<kind>`. Publishing waits for the disk, so it is done
// on the pool. Made before the server starts, outlives its I/O threads.
#pragma once

#include "base/instruments.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "link/link_observer.h"
#include "model/event.h"

namespace binnacle::app {

class NodeEvents final : public link::LinkObserver {
 public:
  // All outlive it.
  NodeEvents(model::EventBus& bus, ThreadPool& pool, Registry& registry);

  void connected(const model::Node& node) override;
  void event(const model::Node& node, const link::NodeEvent& event) override;
  void disconnected(const model::Node& node, std::string_view reason) override;

 private:
  void publish(model::Event event);

  // Fixed after construction.
  model::EventBus& bus_;
  ThreadPool& pool_;
  Counter& lost_;
  const Log log_{"link"};
};

}  // namespace binnacle::app
