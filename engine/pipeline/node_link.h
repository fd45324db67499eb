// A process of the engine as a node of the cluster: its id in a folder, its key or the token that
// gets one, the link to the server, and what is told over it. What runs here goes on whether the
// server is there or not. open(), start(), tick(), stop() by the owner's thread; the rest by any.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "link/link_client.h"
#include "net/io_threads.h"

namespace binnacle::engine {

struct NodeLinkOptions {
  std::string server_url;  // http://host:port
  std::string key;         // of role agent; "": that in the folder, or none
  std::string token;       // one-use; only where there is no key that the server takes
  std::string folder;      // of the node's id and key
  std::string name;
  std::string role;  // "trainer", "engine-worker", "engine"
  std::string cluster = "default";
  std::string probe_address = {};  // where others reach what it offers
  std::string echo_listen = {};    // host:port of the UDP echoes; "": none
};

// Called on the link's thread: must not block. Each may be empty.
struct NodeLinkHooks {
  std::function<link::LoadDigest()> load;
  std::function<void(const std::string& reason)> drain;
};

class NodeLink {
 public:
  // kAlreadyExists: another process has the folder. References outlive the link.
  static Result<std::unique_ptr<NodeLink>> open(NodeLinkOptions options, NodeLinkHooks hooks,
                                                FileSystem& files, net::IoThreads& io,
                                                const Clock& clock, Registry& registry);
  ~NodeLink();  // stop()
  NodeLink(const NodeLink&) = delete;
  NodeLink& operator=(const NodeLink&) = delete;

  // Joins and connects; the loops of `io` run. An error: the token does not do.
  Status start();
  // About once a second: joins where the server was away before. Errors as of start(), once.
  Status tick();
  void stop();  // says goodbye

  std::string key() const;  // "": none yet
  // Both wait in a bounded queue while the server is away, and are lost before the first join.
  // `data`: a JSON object.
  void tell(std::string kind, std::string subject, std::string data);
  void tell(link::CheckResult result);
  void set_facts(link::Facts facts);

 private:
  struct Parts;
  explicit NodeLink(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace binnacle::engine
