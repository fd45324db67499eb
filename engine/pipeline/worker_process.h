// One run of `binnacle-engine worker`: stage, gRPC, HTTP and the link to a server put together.
// Main thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "engine/pipeline/pipeline_tls.h"

namespace binnacle::engine {

struct WorkerArgs {
  std::string listen = "127.0.0.1:50051";
  std::string http = "127.0.0.1:9401";
  std::string models;
  PipelineTls tls;
  int threads = 0;           // 0: one for each core
  int64_t memory_bytes = 0;  // 0: nine tenths of what is free at the start
  int64_t expert_cache_bytes = 0;
  std::string expert_routing_log;
  double emulated_seconds_per_row_layer = 0;
  int max_message_mib = 64;
  std::string server;  // "": none
  std::string name;    // "": the host's
  std::string cluster = "default";
  std::string token;
  std::string data;  // "": engine-worker below the usual data folder
};

class WorkerProcess {
 public:
  // Binds both addresses. Errors name the option and the way out.
  static Result<std::unique_ptr<WorkerProcess>> create(const WorkerArgs& args);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  Status start();
  Status tick();  // about once a second
  bool asked_to_drain() const;
  // No new loads and streams; what is in the stage is answered, for `grace_ms` at most.
  void stop(int64_t grace_ms);
  std::string greeting() const;

 private:
  struct Parts;
  explicit WorkerProcess(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace binnacle::engine
