#include "app/node_events.h"

#include <nlohmann/json.hpp>
#include <utility>

#include <fmt/format.h>

#include "base/json_parse.h"

namespace binnacle::app {
namespace {

using nlohmann::json;

// Writing JSON recurses: an agent's data must not choose how deep. Its size is bounded by a
// frame's.
constexpr size_t kMaxDataDepth = 32;

json node_json(const model::Node& node) {
  return {{"node_id", node.id.value},
          {"role", node.role},
          {"cluster", node.cluster},
          {"address", node.address}};
}

std::string write(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Whether brackets outside of texts are open deeper than that, be it JSON or not.
bool nests_too_deep(std::string_view text) {
  size_t depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_text = false;
      }
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDataDepth) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

NodeEvents::NodeEvents(model::EventBus& bus, ThreadPool& pool, const Clock& clock,
                       Registry& registry)
    : events_(bus, pool, clock,
              registry.counter("binnacle_link_events_lost_total",
                               "Events of nodes that could not be stored.")),
      refused_data_(registry.counter(
          "binnacle_link_event_data_refused_total",
          "Events of nodes that were stored without their data, which nested too deep.")) {}

void NodeEvents::connected(const model::Node& node) {
  events_.post({.kind = "node.connected", .subject = node.name, .data = write(node_json(node))});
}

void NodeEvents::event(const model::Node& node, const link::NodeEvent& event) {
  json data = node_json(node);
  data["subject"] = event.subject;
  if (nests_too_deep(event.data)) {
    refused_data_.add();
    data["data"] = {
        {"refused", fmt::format("the data nests deeper than {} levels", kMaxDataDepth)}};
  } else {
    json told = parse_json(event.data);
    data["data"] = told.is_discarded() ? json(event.data) : std::move(told);
  }
  // Judged on the node, as engines of this machine are here: the same event.
  const bool of_engine = event.kind.starts_with("engine.");
  events_.post({.time_ms = event.time_ms,
                .kind = of_engine ? event.kind : "agent." + event.kind,
                .subject = of_engine ? node.name + "/" + event.subject : node.name,
                .data = write(data)});
}

void NodeEvents::disconnected(const model::Node& node, link::LinkEnd how, std::string_view reason) {
  json data = node_json(node);
  data["reason"] = reason;
  data["how"] = link::link_end_name(how);
  events_.post({.kind = "node.disconnected", .subject = node.name, .data = write(data)});
}

}  // namespace binnacle::app
