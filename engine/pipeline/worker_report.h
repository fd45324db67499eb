// What a worker says of itself: /distributed-stats as JSON, /health, and the series that are read
// from its stage when somebody asks. docs/engine.md lists both. Any thread.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "engine/pipeline/stage.h"
#include "engine/pipeline/worker.h"

namespace binnacle::engine {

class WorkerReport {
 public:
  // References outlive the report, and the registry's writes.
  WorkerReport(WorkerFacts facts, const Stage& stage, const Clock& clock, Registry& registry);

  WorkerFacts facts() const EXCLUDES(mu_);
  void set_address(std::string address) EXCLUDES(mu_);  // once it is bound
  std::string stats_json() const;
  // "ok", "idle", "loading", "failed" or "draining", with what there is to say.
  struct Health {
    std::string status;
    std::string message;
    bool fit = true;
  };
  Health health() const;
  void drain() { draining_ = true; }

 private:
  void refresh();
  void refresh_model(const StageView& view);
  void refresh_layers(const StageView& view);
  void refresh_mlx(const StageView& view);

  // Fixed after construction.
  const Stage& stage_;
  const Clock& clock_;
  Registry& registry_;
  std::atomic<bool> draining_{false};

  mutable Mutex mu_;
  WorkerFacts facts_ GUARDED_BY(mu_);

  // Registry's collecting only, one at a time.
  std::string model_;
  std::string kernel_;
  LayerRange layers_;
  std::map<int32_t, double> layer_seconds_;
  int64_t refreshed_ns_ = 0;
  double compute_seconds_ = 0;
  uint64_t steps_ = 0;
};

}  // namespace binnacle::engine
