// A process that can hold layers, as the orchestrator sees it: over gRPC (remote_worker.h) or in
// this process (local_worker.h). Any thread may call; each `done` is called exactly once, on any
// thread, never within the call that took it, and quickly returns. After close() every open `done`
// gets kCancelled before close() returns.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/model/forward.h"

namespace binnacle::engine {

// What a worker says of itself.
struct WorkerFacts {
  std::string name;
  std::string address;                 // host:port; "local"
  std::string software;                // "binnacle-engine 0.1.0 (abc)"
  std::string kernel;                  // Forward::kernel() of what it would load, up to a "/"
  double weight_bytes_per_second = 0;  // measured: what its threads stream from memory
  int64_t memory_bytes = 0;            // that layers and KV cache may take
  std::vector<std::string> models;     // whose files it has
};

// A range of layers to hold. A worker holds one range; loading another one replaces it.
struct LoadOrder {
  std::string model;  // name below the worker's models folder, or a path it may read
  LayerRange layers;
  std::string weights_hash;  // ModelFolder::hash(layers); another one is refused. "": any
  std::string kernel;        // likewise; as WorkerFacts has it, or with the number type
  int64_t kv_positions = 16'384;
  NumberType hop_type = NumberType::kFloat32;  // of activations on the way; bf16 is not exact
  uint64_t epoch = 0;              // of the placement; steps of an older one are refused
  std::vector<std::string> peers;  // addresses that may have the weights when this one does not
};

struct HopResult {
  StepResult step;
  double queue_seconds = 0;    // in the worker before it began
  double compute_seconds = 0;  // the rest of the hop is the way
};

class Worker {
 public:
  template <typename T>
  using Done = std::function<void(Result<T>)>;
  using Time = std::chrono::milliseconds;

  virtual ~Worker() = default;

  virtual void describe(Time timeout, Done<WorkerFacts> done) = 0;
  virtual void load(const LoadOrder& order, Time timeout, Done<void> done) = 0;
  virtual void unload(Time timeout, Done<void> done) = 0;
  // Steps of one epoch are computed in the order of the calls. kUnavailable: the connection broke;
  // kDeadlineExceeded: no answer in time, the worker may still be at it; kDataLoss: a checksum.
  virtual void run(uint64_t epoch, Step step, Time timeout, Done<HopResult> done) = 0;
  virtual void release(uint64_t epoch, std::vector<SequenceId> sequences) = 0;
  // Called at most once for each time that the connection breaks, also when nothing is under way.
  virtual void on_lost(std::function<void(Error)> lost) = 0;
  virtual void close() = 0;

  virtual const std::string& address() const = 0;
};

}  // namespace binnacle::engine
