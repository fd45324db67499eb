// What the link hears becomes events: node.connected, node.disconnected, what agents make of their
// engines as engine.wedged and the like, and whatever else they report as `agent.<kind>`.
// Publishing waits for the disk, so it is done on the pool, in order. Made before the server
// starts, outlives its I/O threads.
#pragma once

#include "link/link_observer.h"
#include "model/event_queue.h"

namespace binnacle::app {

class NodeEvents final : public link::LinkObserver {
 public:
  // All outlive it.
  NodeEvents(model::EventBus& bus, ThreadPool& pool, const Clock& clock, Registry& registry);

  void connected(const model::Node& node) override;
  void event(const model::Node& node, const link::NodeEvent& event) override;
  void disconnected(const model::Node& node, link::LinkEnd how, std::string_view reason) override;

 private:
  model::EventQueue events_;
  Counter& refused_data_;
};

}  // namespace binnacle::app
