// The server's end of the link (docs/formats/link.md): takes connections of agents, keeps the node
// table, tells observers what it hears, says to agents what the frame table allows. Made and wired
// before the net::Server starts and outlives it and its I/O threads; after that any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "link/link_observer.h"
#include "link/node_table.h"
#include "link/server_session.h"
#include "model/appender.h"
#include "net/router.h"

namespace binnacle::link {

struct LinkServerOptions {
  SessionOptions session;
  size_t max_nodes = 10'000;
  size_t max_queued_frames = 256;      // of one session; an agent that does not read is dropped
  int64_t lively_ms = 1'000;           // a node heard within it keeps its id
  int64_t late_limit_ms = 86'400'000;  // of the store: told to agents
  int64_t peers_every_ms = 30'000;     // how often a changed list of peers goes out at most
  std::string software;
  std::string boot_id;   // of this run
  std::string echo_key;  // random for this run, 16 to 32 bytes; "": agents answer no echoes
};

class LinkServer {
 public:
  // All outlive it.
  LinkServer(LinkServerOptions options, const Clock& clock, Registry& registry);
  ~LinkServer();
  LinkServer(const LinkServer&) = delete;
  LinkServer& operator=(const LinkServer&) = delete;

  void observe(LinkObserver& observer);  // before the first connection
  // Whose word on states the list of nodes gives, instead of the connections'; outlives it.
  void judged_by(const model::NodeView& view);
  // The link, GET /api/binnacle/v1/nodes, POST /api/binnacle/v1/nodes/{id or name}/look and /drain.
  Status register_routes(net::Router& router);

  const NodeTable& nodes() const;

  // kNotFound: the node is not connected.
  // Asks `via` to connect to host:port; answers the id of the reply that observers will get.
  Result<uint64_t> probe(const model::NodeId& via, std::string address, int64_t timeout_ms);
  // Has `via` send UDP echoes to host:port (NodeRecord::echo_address) every `interval_ms` for
  // `duration_ms`; answers the id of the replies that observers will get. kFailedPrecondition: it
  // has no echo socket.
  Result<uint64_t> echo(const model::NodeId& via, std::string address, int64_t interval_ms,
                        int64_t duration_ms);
  Status stop_echo(const model::NodeId& via, uint64_t id);
  // Tells the agent and the observers; ends with the node's next connection.
  Status drain(const model::NodeId& node, std::string reason);
  // Somebody looks at the node: for a while it collects every second.
  Status look(const model::NodeId& node);

  // Stores clock offset and round trip of every node that is connected.
  Status collect_once(model::Appendable& store, int64_t now_ms);

 private:
  struct Shared;
  const std::unique_ptr<Shared> shared_;
};

}  // namespace binnacle::link
