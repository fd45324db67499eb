#include "engine/pipeline/planner.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

namespace binnacle::engine {
namespace {

constexpr double kUnmeasuredSpeed = 1e10;
// A plan with more stages has to be better by this.
constexpr double kWorthAStage = 0.99;

struct Weights {
  int64_t layer_bytes = 0;  // held
  double layer_stream = 0;  // read for a row: of a mixture only the chosen experts
  int64_t embed_bytes = 0;  // either end: embedding table, head
  int64_t kv_bytes = 0;     // of a layer
  int32_t layers = 0;
};

Weights weights_of(const PlanRequest& request) {
  const ModelConfig& m = request.model;
  const int64_t number = request.weights == NumberType::kFloat32 ? 4 : 2;
  Weights w;
  w.layers = m.layers;
  w.layer_bytes = m.parameters_of_layer() * number;
  const int64_t unused =
      int64_t{3} * m.hidden * m.expert_ffn * std::max(0, m.experts - m.experts_per_token);
  w.layer_stream = static_cast<double>(std::max(m.parameters_of_layer() - unused, int64_t{1})) *
                   static_cast<double>(number);
  w.embed_bytes = int64_t{m.vocabulary} * m.hidden * number;
  w.kv_bytes = request.kv_positions * 2 * m.kv_heads * m.head_size * int64_t{sizeof(float)};
  return w;
}

double speed_of(const PlanWorker& worker, double mean) {
  return worker.bytes_per_second > 0 ? worker.bytes_per_second : mean;
}

// One replica's problem: workers in order, the last one has the head.
class Splitter {
 public:
  Splitter(const Weights& weights, std::vector<PlanWorker> workers, double mean)
      : w_(weights), workers_(std::move(workers)), mean_(mean) {}

  std::optional<PlanReplica> best() const {
    std::vector<double> bounds;
    for (size_t i = 0; i < workers_.size(); ++i) {
      for (int32_t n = 1; n <= w_.layers; ++n) bounds.push_back(seconds(i, n));
    }
    std::ranges::sort(bounds);
    if (bounds.empty() || !fits(bounds.back())) return std::nullopt;
    size_t low = 0;
    size_t high = bounds.size() - 1;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (fits(bounds[middle])) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return build(bounds[low]);
  }

 private:
  bool is_last(size_t i) const { return i + 1 == workers_.size(); }

  double seconds(size_t i, int32_t layers) const {
    const double streamed =
        w_.layer_stream * layers + (is_last(i) ? static_cast<double>(w_.embed_bytes) : 0.0);
    return streamed / speed_of(workers_[i], mean_) + workers_[i].hop_seconds;
  }

  int64_t bytes(size_t i, int32_t layers) const {
    return (w_.layer_bytes + w_.kv_bytes) * layers + (i == 0 ? w_.embed_bytes : 0) +
           (is_last(i) ? w_.embed_bytes : 0);
  }

  int32_t most(size_t i, double bound) const {
    int32_t layers = 0;
    while (layers < w_.layers && seconds(i, layers + 1) <= bound * (1 + 1e-12) &&
           (workers_[i].memory_bytes == 0 || bytes(i, layers + 1) <= workers_[i].memory_bytes)) {
      ++layers;
    }
    return layers;
  }

  bool fits(double bound) const {
    int64_t sum = 0;
    for (size_t i = 0; i < workers_.size(); ++i) {
      const int32_t layers = most(i, bound);
      if (layers == 0) return false;  // a worker without a layer is another, shorter problem
      sum += layers;
    }
    return sum >= w_.layers;
  }

  // What is within the bound more than enough is taken from where the time is longest.
  PlanReplica build(double bound) const {
    std::vector<int32_t> layers(workers_.size());
    int32_t surplus = -w_.layers;
    for (size_t i = 0; i < workers_.size(); ++i) {
      layers[i] = most(i, bound);
      surplus += layers[i];
    }
    while (surplus > 0) {
      size_t slowest = workers_.size();
      for (size_t i = 0; i < workers_.size(); ++i) {
        if (layers[i] > 1 && (slowest == workers_.size() ||
                              seconds(i, layers[i]) > seconds(slowest, layers[slowest])))
          slowest = i;
      }
      if (slowest == workers_.size()) break;
      --layers[slowest];
      --surplus;
    }
    PlanReplica replica;
    int32_t begin = 0;
    for (size_t i = 0; i < workers_.size(); ++i) {
      PlanStage stage;
      stage.address = workers_[i].address;
      stage.layers = {begin, begin + layers[i]};
      stage.seconds = seconds(i, layers[i]);
      stage.kv_bytes = w_.kv_bytes * layers[i];
      stage.weight_bytes = bytes(i, layers[i]) - stage.kv_bytes;
      replica.slowest_seconds = std::max(replica.slowest_seconds, stage.seconds);
      replica.token_seconds += stage.seconds;
      replica.stages.push_back(std::move(stage));
      begin += layers[i];
    }
    return replica;
  }

  const Weights w_;
  const std::vector<PlanWorker> workers_;
  const double mean_;
};

// `workers` are the fastest first; of these as many as are of use.
std::optional<PlanReplica> best_replica(const Weights& weights,
                                        const std::vector<PlanWorker>& workers, double mean,
                                        int32_t min_stages) {
  std::optional<PlanReplica> best;
  const size_t most = std::min(workers.size(), static_cast<size_t>(weights.layers));
  const size_t least = std::min(most, static_cast<size_t>(std::max(min_stages, 1)));
  for (size_t n = 1; n <= most; ++n) {
    std::vector<PlanWorker> used(workers.begin(), workers.begin() + static_cast<std::ptrdiff_t>(n));
    // The fastest has the head.
    std::ranges::reverse(used);
    const auto replica = Splitter(weights, used, mean).best();
    if (!replica) continue;
    const bool wanted = n <= least;  // the more the better up to there
    if (wanted || !best || replica->slowest_seconds < best->slowest_seconds * kWorthAStage) {
      best = replica;
    }
  }
  return best;
}

// Only workers of one kernel make one exact model: those of the kernel with the most speed.
std::vector<PlanWorker> of_one_kernel(const std::vector<PlanWorker>& workers, double mean) {
  std::map<std::string, double> speeds;
  for (const PlanWorker& worker : workers) speeds[worker.kernel] += speed_of(worker, mean);
  const auto best =
      std::ranges::max_element(speeds, {}, [](const auto& entry) { return entry.second; });
  std::vector<PlanWorker> chosen;
  for (const PlanWorker& worker : workers) {
    if (worker.kernel == best->first) chosen.push_back(worker);
  }
  return chosen;
}

std::vector<std::vector<PlanWorker>> into_groups(std::vector<PlanWorker> workers, size_t groups,
                                                 double mean) {
  std::ranges::stable_sort(workers, std::greater<>(),
                           [&](const PlanWorker& w) { return speed_of(w, mean); });
  std::vector<std::vector<PlanWorker>> out(groups);
  std::vector<double> speeds(groups);
  for (PlanWorker& worker : workers) {
    const auto slowest = static_cast<size_t>(std::ranges::min_element(speeds) - speeds.begin());
    speeds[slowest] += speed_of(worker, mean);
    out[slowest].push_back(std::move(worker));
  }
  return out;
}

Unexpected does_not_fit(const Weights& w, const std::vector<PlanWorker>& workers) {
  const int64_t needed = (w.layer_bytes + w.kv_bytes) * w.layers + 2 * w.embed_bytes;
  int64_t have = 0;
  for (const PlanWorker& worker : workers) have += worker.memory_bytes;
  return fail(Code::kFailedPrecondition,
              fmt::format("the model does not fit: {} layers of {:.1f} MB with {:.1f} MB of KV "
                          "cache each need {:.1f} MB, {} workers have {:.1f} MB; add a worker or "
                          "lower --kv-positions",
                          w.layers, static_cast<double>(w.layer_bytes) / 1e6,
                          static_cast<double>(w.kv_bytes) / 1e6, static_cast<double>(needed) / 1e6,
                          workers.size(), static_cast<double>(have) / 1e6));
}

void find_idle(const std::vector<PlanWorker>& workers, Plan& plan) {
  for (const PlanWorker& worker : workers) {
    bool used = false;
    for (const PlanReplica& replica : plan.replicas) {
      for (const PlanStage& stage : replica.stages) used = used || stage.address == worker.address;
    }
    if (!used) plan.idle.push_back(worker.address);
  }
}

}  // namespace

Result<Plan> make_plan(const PlanRequest& request) {
  if (request.model.layers <= 0) {
    return fail(Code::kInvalidArgument, "plan: the model has no layers");
  }
  if (request.workers.empty()) return fail(Code::kFailedPrecondition, "there are no workers");
  if (request.replicas < 1) {
    return fail(Code::kInvalidArgument,
                fmt::format("plan: {} replicas: ask for one at least", request.replicas));
  }
  const Weights weights = weights_of(request);
  double sum = 0;
  double measured = 0;
  for (const PlanWorker& worker : request.workers) {
    sum += worker.bytes_per_second;
    measured += worker.bytes_per_second > 0 ? 1 : 0;
  }
  const double mean = measured > 0 ? sum / measured : kUnmeasuredSpeed;
  const auto workers = of_one_kernel(request.workers, mean);
  // As many replicas as fit, up to those asked for.
  for (auto n = std::min(static_cast<size_t>(request.replicas), workers.size()); n >= 1; --n) {
    Plan plan;
    for (const auto& group : into_groups(workers, n, mean)) {
      auto replica = best_replica(weights, group, mean, request.min_stages);
      if (replica) plan.replicas.push_back(*std::move(replica));
    }
    if (plan.replicas.size() != n) continue;
    find_idle(request.workers, plan);
    return plan;
  }
  return does_not_fit(weights, workers);
}

}  // namespace binnacle::engine
