#include "app/node_events.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace binnacle::app {
namespace {

using nlohmann::json;

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
    : events_(bus, pool, clock,
              registry.counter("binnacle_link_events_lost_total",
                               "Events of nodes that could not be stored.")) {}

void NodeEvents::connected(const model::Node& node) {
  events_.post({.kind = "node.connected", .subject = node.name, .data = write(node_json(node))});
}

void NodeEvents::event(const model::Node& node, const link::NodeEvent& event) {
  json data = node_json(node);
  json told = json::parse(event.data, nullptr, false);
  data["subject"] = event.subject;
  data["data"] = told.is_discarded() ? json(event.data) : std::move(told);
  events_.post({.time_ms = event.time_ms,
                .kind = "agent." + event.kind,
                .subject = node.name,
                .data = write(data)});
}

void NodeEvents::disconnected(const model::Node& node, link::LinkEnd how, std::string_view reason) {
  json data = node_json(node);
  data["reason"] = reason;
  data["how"] = link::link_end_name(how);
  events_.post({.kind = "node.disconnected", .subject = node.name, .data = write(data)});
}

}  // namespace binnacle::app
