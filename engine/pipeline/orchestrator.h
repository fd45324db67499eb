// Keeps a model served over workers that come and go: knows the workers, places the model's layers
// on them, runs a pipeline per replica, and when a worker fails places anew and has the sequences
// replayed. Everything happens on one I/O thread of its own; the public functions may be called
// from any thread. docs/engine.md, "Survival", tells the rules.
//
// Owns the Worker objects; hooks and references outlive it. start() and stop() by the owner.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "engine/model/model_config.h"
#include "engine/pipeline/generation.h"
#include "engine/pipeline/hop_times.h"
#include "engine/pipeline/scheduler.h"
#include "engine/pipeline/worker.h"

namespace binnacle::engine {

// One checkpoint.
struct ModelSource {
  std::string folder;
  std::string name;  // as workers know it: the folder's last part
  ModelConfig config;
  NumberType number_type = NumberType::kFloat32;
  std::function<std::string(LayerRange)> hash;  // quick: answered from a cache
};

struct OrchestratorOptions {
  SchedulerOptions scheduler;
  HopDeadlineOptions hop;
  int32_t replicas = 1;
  int32_t min_stages = 1;  // of a replica, where there are workers enough
  int64_t kv_positions = 16'384;
  NumberType hop_type = NumberType::kFloat32;
  bool emulated = false;  // layers have no weights: neither memory nor measured speeds count
  std::chrono::milliseconds describe_timeout{2'000};
  std::chrono::milliseconds load_timeout{120'000};
  std::chrono::milliseconds first_retry{250};  // of a worker that failed; doubles
  std::chrono::milliseconds longest_retry{30'000};
  std::chrono::milliseconds settle{2'000};  // the first placement waits for all workers this long
  // A better placement that needs a pause waits this long, and is not made where the pause would be
  // longer than the limit.
  std::chrono::milliseconds rebalance_after{10'000};
  std::chrono::milliseconds rebalance_pause_limit{2'000};
};

// Something that an operator wants to know: "worker.lost", "pipeline.replanned", ...
struct OrchestratorEvent {
  std::string kind;
  std::string subject;
  std::string text;
  int64_t wall_ms = 0;
};

struct OrchestratorHooks {
  std::function<Result<std::unique_ptr<Worker>>(const std::string& address)> connect;
  std::function<Result<std::unique_ptr<Worker>>()> local;  // null: never in this process
  std::function<void(const OrchestratorEvent&)> event;     // may be null
};

struct StageStatus {
  std::string worker;
  LayerRange layers;
  double hop_p50_seconds = 0;
  double hop_p99_seconds = 0;
  uint64_t hops = 0;
};
struct PipelineStatus {
  int32_t replica = 0;
  std::string state;   // "open", "loading", "waiting for workers", "draining for a new checkpoint"
  std::string reason;  // why it is not open
  uint64_t epoch = 0;
  std::vector<StageStatus> stages;
  SchedulerCounts counts;
  int32_t oldest_hop_stage = -1;
  double oldest_hop_seconds = 0;
  std::string model_folder;
};
struct WorkerStatus {
  std::string address;
  std::string name;
  std::string state;   // "new", "idle", "serving", "suspect"
  std::string reason;  // why it is suspect
  double since_seconds = 0;
  int32_t stage = -1;  // that it failed in
};
struct OrchestratorStatus {
  ModelConfig model;
  std::vector<PipelineStatus> pipelines;
  std::vector<WorkerStatus> workers;
  std::vector<OrchestratorEvent> events;  // the latest, oldest first
  bool can_serve() const;
  std::string problem() const;  // "" when it can
};

class Orchestrator {
 public:
  Orchestrator(OrchestratorOptions options, ModelSource model, OrchestratorHooks hooks,
               const Clock& clock, Registry& registry);
  ~Orchestrator();  // stop()
  Orchestrator(const Orchestrator&) = delete;
  Orchestrator& operator=(const Orchestrator&) = delete;

  void start();
  void stop();

  // The workers there are, by address; "local" is this process as a worker among others.
  void set_workers(std::vector<std::string> addresses);
  void submit(Generation generation, GenerationSink sink);
  void cancel(SequenceId sequence);
  // Requests that come after get the new weights; those running end on the old.
  void reload(ModelSource model);

  SequenceId new_id();
  // kDeadlineExceeded: its thread does not answer.
  Result<OrchestratorStatus> status(std::chrono::milliseconds timeout) const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace binnacle::engine
