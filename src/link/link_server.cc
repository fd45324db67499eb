#include "link/link_server.h"

#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"
#include "link/server_connection.h"
#include "net/websocket.h"

namespace binnacle::link {
namespace {

namespace asio = boost::asio;
using nlohmann::json;

constexpr std::string_view kNodesPath = "/api/binnacle/v1/nodes";
constexpr std::string_view kLinkNodesPath = "/api/binnacle/v1/link/nodes";
constexpr double kNsPerSecond = 1e9;

json time_json(int64_t wall_ms) { return wall_ms == 0 ? json() : json(format_rfc3339(wall_ms)); }

json seconds_json(const std::optional<ClockReading>& clocks, int64_t ClockReading::*of) {
  return clocks ? json(static_cast<double>((*clocks).*of) / kNsPerSecond) : json();
}

json node_json(const NodeRecord& record) {
  return {{"id", record.node.id.value},
          {"name", record.node.name},
          {"role", record.node.role},
          {"cluster", record.node.cluster},
          {"address", record.node.address},
          {"probe_address", record.probe_address},
          {"echo_address", record.echo_address},
          {"state", model::node_state_name(record.node.state)},
          {"since", time_json(record.node.since_ms)},
          {"version", record.software},
          {"boot", record.boot_id},
          {"capabilities", record.capabilities},
          {"last_beat", time_json(record.last_beat_ms)},
          {"clock_offset_seconds", seconds_json(record.clocks, &ClockReading::offset_ns)},
          {"round_trip_seconds", seconds_json(record.clocks, &ClockReading::round_trip_ns)}};
}

net::Response list_nodes(const NodeTable& table, const model::NodeView* judge) {
  json list = json::array();
  for (NodeRecord& record : table.records()) {
    if (judge != nullptr) {
      if (auto judged = judge->node(record.node.id)) record.node = std::move(*judged);
    }
    list.push_back(node_json(record));
  }
  return net::Response::json(200, json{{"nodes", std::move(list)}}.dump());
}

// Of the path: the id of a node, or the name that one has now.
model::NodeId named_by(const NodeTable& table, const net::Request& request) {
  std::string id = to_valid_utf8(request.path_param("id"));
  for (const NodeRecord& record : table.records()) {
    if (record.node.name == id) return record.node.id;
  }
  return {std::move(id)};
}

net::Response answer_of(const Status& done) {
  if (!done) return net::Response::error(done.error());
  net::Response response;
  response.status = 204;
  return response;
}

// One batch of a collection.
class SeriesWriter {
 public:
  SeriesWriter(model::Appender& appender, int64_t now_ms) : appender_(appender), now_ms_(now_ms) {}

  void write(const NodeRecord& record) {
    if (record.session == 0 || !record.best_clocks) return;
    const ClockReading& best = *record.best_clocks;
    append("binnacle_link_clock_offset_seconds", record,
           static_cast<double>(best.offset_ns) / kNsPerSecond);
    append("binnacle_link_round_trip_seconds", record,
           static_cast<double>(best.round_trip_ns) / kNsPerSecond);
  }
  size_t refused() const { return refused_; }

 private:
  void append(std::string_view metric, const NodeRecord& record, double value) {
    model::LabelsBuilder labels;
    labels.set(model::kMetricName, metric)
        .set("node", record.node.name)
        .set("role", record.node.role)
        .set("cluster", record.node.cluster);
    if (!appender_.append(model::kNoSeries, labels.build(), {now_ms_, value})) ++refused_;
  }

  model::Appender& appender_;
  const int64_t now_ms_;
  size_t refused_ = 0;
};

}  // namespace

struct LinkServer::Shared {
  Shared(LinkServerOptions options, const Clock& clock, Registry& registry)
      : connections(options, clock, registry) {}
  Connections connections;
  const model::NodeView* judge = nullptr;  // fixed before the first connection
};

LinkServer::LinkServer(LinkServerOptions options, const Clock& clock, Registry& registry)
    : shared_(std::make_unique<Shared>(std::move(options), clock, registry)) {}

LinkServer::~LinkServer() = default;

void LinkServer::observe(LinkObserver& observer) {
  shared_->connections.observers.push_back(&observer);
}

void LinkServer::judged_by(const model::NodeView& view) { shared_->judge = &view; }

const NodeTable& LinkServer::nodes() const { return shared_->connections.table; }

Status LinkServer::register_routes(net::Router& router) {
  Connections& connections = shared_->connections;
  net::Route link;
  link.method = net::Method::kGet;
  link.pattern = "/api/binnacle/v1/link";
  link.group = net::RouteGroup::kLink;
  link.role = Role::kAgent;
  link.limits.max_concurrent = connections.options.max_nodes;
  link.hears_in_turns = true;
  link.handler = net::WebSocketHandler(
      [&connections](const net::Request& request, net::WebSocket& socket) -> asio::awaitable<void> {
        const auto connection = std::make_shared<ServerConnection>(
            connections, socket, co_await asio::this_coro::executor,
            request.connection->peer_address);
        co_await connection->run();
      });
  TRY(router.add(std::move(link)));
  // The second for nodes that look for others: their keys read nothing else.
  for (const auto& [path, role] :
       {std::pair(kNodesPath, Role::kViewer), std::pair(kLinkNodesPath, Role::kAgent)}) {
    TRY(router.add({.method = net::Method::kGet,
                    .pattern = std::string(path),
                    .role = role,
                    .handler = net::Handler([this](const net::Request&) {
                      return list_nodes(shared_->connections.table, shared_->judge);
                    })}));
  }
  TRY(router.add({.method = net::Method::kPost,
                  .pattern = std::string(kNodesPath) + "/{id}/look",
                  .role = Role::kViewer,
                  .handler = net::Handler([this](const net::Request& request) {
                    return answer_of(look(named_by(nodes(), request)));
                  })}));
  return router.add({.method = net::Method::kPost,
                     .pattern = std::string(kNodesPath) + "/{id}/drain",
                     .role = Role::kOperator,
                     .handler = net::Handler([this](const net::Request& request) {
                       const net::Params params = request.params();
                       const std::string_view reason =
                           params.has("reason") ? params.get("reason") : "an operator asks for it";
                       return answer_of(drain(named_by(nodes(), request), to_valid_utf8(reason)));
                     })});
}

Result<uint64_t> LinkServer::probe(const model::NodeId& via, std::string address,
                                   int64_t timeout_ms) {
  const uint64_t id = shared_->connections.next_probe.fetch_add(1);
  TRY(shared_->connections.post(
      via.value, [id, address = std::move(address), timeout_ms](ServerConnection& connection) {
        connection.happened(session_event::Probe{id, address, timeout_ms});
      }));
  return id;
}

Result<uint64_t> LinkServer::echo(const model::NodeId& via, std::string address,
                                  int64_t interval_ms, int64_t duration_ms) {
  Connections& connections = shared_->connections;
  if (!connections.table.has_echo(via.value)) {
    return fail(Code::kFailedPrecondition,
                "node " + via.value + ": has no echo socket; see its setting agent.echo_listen");
  }
  const uint64_t id = connections.next_probe.fetch_add(1);
  TRY(connections.post(via.value, [id, address = std::move(address), interval_ms,
                                   duration_ms](ServerConnection& connection) {
    connection.happened(
        session_event::Echo{id, address, interval_ms, std::max<int64_t>(duration_ms, 1)});
  }));
  return id;
}

Status LinkServer::stop_echo(const model::NodeId& via, uint64_t id) {
  return shared_->connections.post(via.value, [id](ServerConnection& connection) {
    connection.happened(session_event::Echo{.id = id});
  });
}

Status LinkServer::drain(const model::NodeId& node, std::string reason) {
  return shared_->connections.post(
      node.value,
      [reason = std::move(reason)](ServerConnection& connection) { connection.drain(reason); });
}

Status LinkServer::look(const model::NodeId& node) {
  return shared_->connections.post(
      node.value, [](ServerConnection& connection) { connection.happened(session_event::Look{}); });
}

Status LinkServer::collect_once(model::Appendable& store, int64_t now_ms) {
  const std::vector<NodeRecord> records = shared_->connections.table.take_readings();
  if (records.empty()) return {};
  const auto appender = store.appender();
  SeriesWriter writer(*appender, now_ms);
  for (const NodeRecord& record : records) writer.write(record);
  TRY_ASSIGN(const model::CommitReport report, appender->commit());
  const size_t refused = writer.refused() + report.refused.size();
  if (refused == 0) return {};
  return fail(Code::kResourceExhausted,
              fmt::format("series of the link: {} samples were refused", refused));
}

}  // namespace binnacle::link
