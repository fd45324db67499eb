// The layers that a worker holds and the one thread that computes with them: loads, steps and
// releases in the order in which they come, from several orchestrators. The newest load wins; steps
// of others are refused with the reason. Any thread; every `done` is called exactly once, on the
// stage's thread or that of stop(); within the call that took it only after stop().
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "engine/model/forward.h"
#include "engine/pipeline/expert_use.h"
#include "engine/pipeline/layer_loader.h"
#include "engine/pipeline/stage_instruments.h"
#include "engine/pipeline/worker.h"

namespace binnacle::engine {

using ClientId = uint64_t;  // an orchestrator

struct StageOptions {
  size_t max_waiting_steps = 256;
};

// What is held, as of a moment ago.
struct StageView {
  std::optional<LoadOrder> order;  // nothing is held without
  std::string loading;             // the model that is being loaded now; "": none
  std::string last_failure;        // why the newest load failed; "": it did not
  ModelConfig config;
  std::string kernel;
  double load_seconds = 0;
  KvUsage kv;
  ForwardStats stats;
  size_t waiting = 0;              // steps
  double computing_seconds = 0;    // since the step under way began; 0: none is
  uint64_t steps = 0;              // computed since the start, with
  uint64_t rows = 0;               // so many rows
  double queue_seconds_total = 0;  // of these steps
  double compute_seconds_total = 0;
};

class Stage {
 public:
  // References outlive the stage.
  Stage(StageOptions options, LayerLoader& loader, const Clock& clock,
        StageInstruments& instruments);
  ~Stage();  // stop()
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // kFailedPrecondition: this client has sent a newer epoch; another kernel or other weights.
  void load(ClientId client, LoadOrder order, Worker::Done<void> done) EXCLUDES(mu_);
  void unload(ClientId client, Worker::Done<void> done) EXCLUDES(mu_);
  // `gone`, where there is one, turns true when nobody waits for the result any more.
  struct Call {
    ClientId client = 0;
    uint64_t epoch = 0;
    int64_t deadline_ns = 0;  // monotonic; not begun after it
    std::shared_ptr<const std::atomic<bool>> gone = {};
  };
  void run(Call call, Step step, Worker::Done<HopResult> done) EXCLUDES(mu_);
  void release(ClientId client, uint64_t epoch, std::vector<SequenceId> sequences) EXCLUDES(mu_);
  // Called in its turn.
  void call(std::function<void(const Status&)> work) EXCLUDES(mu_);
  // Ends the thread; what waits gets kCancelled.
  void stop() EXCLUDES(mu_);

  StageView view() const EXCLUDES(mu_);
  NumberType hop_type() const { return hop_type_; }  // of the layers held, or of those before

 private:
  struct StepJob {
    Call call;
    Step step;
    Worker::Done<HopResult> done;
    int64_t came_ns = 0;
    std::optional<Error> refused;  // when it came
  };
  struct LoadJob {
    ClientId client = 0;
    LoadOrder order;
    Worker::Done<void> done;
  };
  struct UnloadJob {
    ClientId client = 0;
    Worker::Done<void> done;
  };
  struct ReleaseJob {
    ClientId client = 0;
    uint64_t epoch = 0;
    std::vector<SequenceId> sequences;
  };
  struct CallJob {
    std::function<void(const Status&)> work;
  };
  using Job = std::variant<StepJob, LoadJob, UnloadJob, ReleaseJob, CallJob>;

  // Whose layers these are, or will be when the queue has come so far.
  struct Owner {
    ClientId client = 0;
    uint64_t epoch = 0;
    bool operator==(const Owner&) const = default;
  };

  void post(Job job) EXCLUDES(mu_);
  static void cancel(Job& job);
  void count(StepJob& job) REQUIRES(mu_);
  void work() EXCLUDES(mu_);
  std::optional<Job> next_job() EXCLUDES(mu_);
  void handle(StepJob& job) EXCLUDES(mu_);
  void handle(LoadJob& job) EXCLUDES(mu_);
  void handle(UnloadJob& job) EXCLUDES(mu_);
  void handle(ReleaseJob& job) EXCLUDES(mu_);
  void handle(CallJob& job);
  Status check_turn(const StepJob& job, int64_t now_ns) EXCLUDES(mu_);
  Status take_load(const LoadJob& job) EXCLUDES(mu_);
  Status replace(const LoadJob& job) EXCLUDES(mu_);
  void drop() EXCLUDES(mu_);
  void refresh() EXCLUDES(mu_);

  // Fixed after construction.
  const StageOptions options_;
  LayerLoader& loader_;
  const Clock& clock_;
  StageInstruments& instruments_;
  std::atomic<bool> stopping_{false};
  std::atomic<NumberType> hop_type_{NumberType::kFloat32};

  // The stage's thread only.
  std::unique_ptr<Forward> forward_;
  ExpertUse expert_use_;
  std::optional<Owner> held_by_;
  int64_t refreshed_ns_ = 0;
  bool stale_ = false;  // what view() shows of forward_

  mutable Mutex mu_;
  CondVar wake_;
  std::deque<Job> jobs_ GUARDED_BY(mu_);
  size_t waiting_steps_ GUARDED_BY(mu_) = 0;
  std::optional<Owner> newest_ GUARDED_BY(mu_);
  int64_t computing_since_ns_ GUARDED_BY(mu_) = 0;
  StageView view_ GUARDED_BY(mu_);

  std::thread thread_;  // last: it uses all the others
};

}  // namespace binnacle::engine
