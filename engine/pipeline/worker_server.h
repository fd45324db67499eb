// A worker's gRPC side: the service of docs/formats/pipeline.md and grpc.health.v1 on one port, in
// front of a Stage. Runs on gRPC's own threads, which it never holds up: steps wait in the stage,
// files are read on a thread of their own. open() and the destructor by the owner; the rest any
// thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "engine/pipeline/pipeline_tls.h"
#include "engine/pipeline/stage.h"
#include "engine/pipeline/worker.h"

namespace binnacle::engine {

struct WorkerServerOptions {
  std::string listen = "127.0.0.1:0";  // host:port, an address
  PipelineTls tls;
  int max_message_bytes = 64 << 20;
  size_t max_streams = 64;
  size_t max_fetches = 4;     // peers that take weights at a time
  std::string models_folder;  // FetchWeights gives folders of it; "": none
};

class WorkerServer {
 public:
  // `facts` is asked for each Describe, `stats` for each Stats; both quick. References outlive the
  // server. kInvalidArgument: the address or a TLS file; kFailedPrecondition: it cannot be bound.
  struct Source {
    std::function<WorkerFacts()> facts;
    std::function<std::string()> stats;  // JSON
  };
  static Result<std::unique_ptr<WorkerServer>> open(WorkerServerOptions options, Source source,
                                                    Stage& stage, FileSystem& files,
                                                    const Clock& clock, Registry& registry);
  // Stops the stage too: what waits in it is answered first.
  ~WorkerServer();
  WorkerServer(const WorkerServer&) = delete;
  WorkerServer& operator=(const WorkerServer&) = delete;

  // Health says NOT_SERVING from now on, new streams and loads are refused.
  void drain();
  size_t streams() const;
  std::string address() const;  // with the port that was bound

 private:
  struct Impl;
  explicit WorkerServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::engine
