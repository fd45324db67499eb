#include "app/node_events.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace binnacle::app {
namespace {

using nlohmann::json;

constexpr size_t kMaxWaiting = 4096;

json node_json(const model::Node& node) {
  return {{"node_id", node.id.value},
          {"role", node.role},
          {"cluster", node.cluster},
          {"address", node.address}};
}

std::string write(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

NodeEvents::NodeEvents(model::EventBus& bus, ThreadPool& pool, const Clock& clock,
                       Registry& registry)
    : bus_(bus),
      pool_(pool),
      lost_(registry.counter("binnacle_link_events_lost_total",
                             "Events of nodes that could not be stored.")),
      clock_(clock) {}

void NodeEvents::connected(const model::Node& node) {
  queue({.kind = "node.connected", .subject = node.name, .data = write(node_json(node))});
}

void NodeEvents::event(const model::Node& node, const link::NodeEvent& event) {
  json data = node_json(node);
  json told = json::parse(event.data, nullptr, false);
  data["subject"] = event.subject;
  data["data"] = told.is_discarded() ? json(event.data) : std::move(told);
  queue({.time_ms = event.time_ms,
         .kind = "agent." + event.kind,
         .subject = node.name,
         .data = write(data)});
}

void NodeEvents::disconnected(const model::Node& node, link::LinkEnd how, std::string_view reason) {
  json data = node_json(node);
  data["reason"] = reason;
  data["how"] = link::link_end_name(how);
  queue({.kind = node.state == model::NodeState::kLeft ? "node.left" : "node.disconnected",
         .subject = node.name,
         .data = write(data)});
}

void NodeEvents::queue(model::Event event) {
  if (event.time_ms == 0) event.time_ms = clock_.wall_ms();
  const MutexLock lock(mu_);
  if (waiting_.size() >= kMaxWaiting) return lost_.add();
  waiting_.push_back(std::move(event));
  if (publishing_) return;
  // When the pool is full, the next event tries again for all.
  publishing_ = pool_.post([this] { publish_all(); }).has_value();
}

void NodeEvents::publish_all() {
  for (;;) {
    model::Event event;
    {
      const MutexLock lock(mu_);
      publishing_ = !waiting_.empty();
      if (!publishing_) return;
      event = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (const auto published = bus_.publish(std::move(event)); !published) {
      lost_.add();
      log_.warn("event of a node not stored", {{"error", published.error().message}});
    }
  }
}

}  // namespace binnacle::app
