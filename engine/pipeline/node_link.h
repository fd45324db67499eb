// A process of the engine as a node of the cluster: its id in a folder, the link to the server, and
// events on it. What runs here goes on whether the server is there or not. open(), stop() by the
// owner's thread; tell() by any.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/random.h"
#include "link/link_client.h"
#include "link/node_identity.h"
#include "net/client.h"
#include "net/io_threads.h"

namespace binnacle::engine {

struct NodeLinkOptions {
  std::string server_url;  // http://host:port
  std::string token;       // one-use, for the first start; "": the key in the folder, or none
  std::string folder;      // of the node's id and key
  std::string name;
  std::string role;  // "trainer", "worker"
  std::string cluster = "default";
  net::TlsClientOptions tls = {};
};

class NodeLink {
 public:
  // Begins to connect. `io` runs. An error: the folder is taken, or the token does not do.
  static Result<std::unique_ptr<NodeLink>> open(NodeLinkOptions options, FileSystem& files,
                                                net::IoThreads& io, const Clock& clock,
                                                Registry& registry);
  ~NodeLink();  // stop()
  NodeLink(const NodeLink&) = delete;
  NodeLink& operator=(const NodeLink&) = delete;

  // Waits in a bounded queue while the server is away. `data`: a JSON object.
  void tell(std::string kind, std::string subject, std::string data);
  void set_facts(link::Facts facts);
  void stop();  // says goodbye

 private:
  NodeLink(NodeLinkOptions options, link::NodeIdentity identity, FileSystem& files,
           const Clock& clock);
  Status join(net::IoThreads& io);
  void connect(net::IoThreads& io, Registry& registry);

  const NodeLinkOptions options_;
  const Clock& clock_;
  const Log log_{"link"};
  link::NodeIdentity identity_;
  SystemRandom random_;
  net::Client client_;
  std::unique_ptr<link::LinkClient> link_;
};

}  // namespace binnacle::engine
