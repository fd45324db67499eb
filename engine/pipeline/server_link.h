// A worker's registration with a Binnacle server: joins with a token where it has no key yet, keeps
// the link, beats with its load, tells facts, and a check result while something is wrong. Main
// thread, but for what the link asks on its own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/random.h"
#include "engine/pipeline/worker_report.h"
#include "link/link_client.h"
#include "net/io_threads.h"

namespace binnacle::engine {

struct ServerLinkOptions {
  std::string server_url;
  std::string name;
  std::string cluster = "default";
  std::string token;          // one-use; only where the folder holds no key that the server takes
  std::string data_folder;    // the node's id and key
  std::string probe_address;  // where peers measure how far this worker is: its gRPC address
  std::string echo_listen;    // host:port of the UDP echoes; "": none
};

class ServerLink {
 public:
  // Called on the link's thread: must not block.
  struct Hooks {
    std::function<link::LoadDigest()> load;
    std::function<WorkerReport::Health()> health;  // on the main thread
    std::function<void(const std::string& reason)> drain;
  };
  // kAlreadyExists: another process has the data folder. References outlive the link.
  static Result<std::unique_ptr<ServerLink>> open(ServerLinkOptions options, Hooks hooks,
                                                  net::IoThreads& io, FileSystem& files,
                                                  const Clock& clock, Random& random,
                                                  Registry& registry);
  ~ServerLink();  // stop()
  ServerLink(const ServerLink&) = delete;
  ServerLink& operator=(const ServerLink&) = delete;

  // The loops of `io` run. An error: the token does not do.
  Status start();
  // About once a second.
  Status tick();
  void stop();

 private:
  struct Parts;
  explicit ServerLink(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace binnacle::engine
