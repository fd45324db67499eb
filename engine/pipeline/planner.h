// Which worker holds which layers. Pure functions over measured figures: what a worker streams from
// memory, what it may hold, how far away it is. The slowest stage sets the pace of a full pipeline,
// so its time is made as short as possible; of equal plans the one with fewer stages wins, because
// each hop costs every token. Optimal for the given order of the workers in a replica: searching
// over the bound of a stage's time, each worker takes as many layers as it can within it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/model/model_config.h"

namespace binnacle::engine {

struct PlanWorker {
  std::string address;
  double bytes_per_second = 0;  // 0: not measured, taken as the mean of the others
  int64_t memory_bytes = 0;     // 0: not told, taken as enough
  double hop_seconds = 0;       // there and back, without computing
  std::string kernel = {};      // only workers of one kernel make one exact model
};

struct PlanRequest {
  ModelConfig model;
  NumberType weights = NumberType::kFloat32;
  int64_t kv_positions = 16'384;
  int32_t replicas = 1;
  int32_t min_stages = 1;  // of a replica, where there are workers enough, be it slower
  std::vector<PlanWorker> workers;
};

struct PlanStage {
  std::string address;
  LayerRange layers;
  double seconds = 0;  // of one row, computing and hop
  int64_t weight_bytes = 0;
  int64_t kv_bytes = 0;
};
struct PlanReplica {
  std::vector<PlanStage> stages;
  double slowest_seconds = 0;
  double token_seconds = 0;  // one row through all stages
};
struct Plan {
  std::vector<PlanReplica> replicas;
  std::vector<std::string> idle;
};

// kFailedPrecondition: the workers have not memory enough, or there are none; the message says how
// much is missing.
Result<Plan> make_plan(const PlanRequest& request);

std::string plan_table(const PlanRequest& request, const Plan& plan);
std::string plan_json(const PlanRequest& request, const Plan& plan);

// A model's shape and workers as a YAML text of figures, for `binnacle-engine plan`:
//   workers: [{address: a:1, gigabytes_per_second: 10, memory_gb: 8, hop_ms: 0.3}, ...]
Result<std::vector<PlanWorker>> read_plan_workers(const std::string& yaml, const std::string& file);

}  // namespace binnacle::engine
