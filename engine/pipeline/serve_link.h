// The orchestrator's ties to Binnacle's server: it beats as a node of role "engine", tells what
// happens to pipelines as events, and asks the server which workers there are. start() and stop()
// by the owner; tell() any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/random.h"
#include "engine/pipeline/orchestrator.h"
#include "net/io_threads.h"

namespace binnacle::engine {

struct ServeLinkOptions {
  std::string server_url;
  std::string key;          // "": that of an earlier join in the data folder, or none
  std::string data_folder;  // "": no identity is kept
  std::string name;         // "": "engine"
  std::string cluster = "default";
  std::string model;
  int64_t look_every_ms = 1'000;
};

class ServeLink {
 public:
  // References outlive it.
  static Result<std::unique_ptr<ServeLink>> open(ServeLinkOptions options, FileSystem& files,
                                                 net::IoThreads& io, const Clock& clock,
                                                 Random& random, Registry& registry);
  ~ServeLink();  // stop()
  ServeLink(const ServeLink&) = delete;
  ServeLink& operator=(const ServeLink&) = delete;

  // `found` gets the gRPC addresses of the workers that are up, whenever the server was asked.
  void start(std::function<void(std::vector<std::string>)> found);
  void stop();
  void tell(const OrchestratorEvent& event);

 private:
  struct Impl;
  explicit ServeLink(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

// The addresses of up workers in an answer of the nodes API. kDataLoss: it is none.
Result<std::vector<std::string>> worker_addresses(const std::string& nodes_json);

}  // namespace binnacle::engine
