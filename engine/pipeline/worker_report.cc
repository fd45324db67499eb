#include "engine/pipeline/worker_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/version.h"

namespace binnacle::engine {
namespace {

using Json = nlohmann::json;

constexpr double kMib = 1024.0 * 1024;

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

Json layers_json(const StageView& view) {
  Json layers = Json::array();
  const auto& seconds = view.stats.layer_seconds;
  for (size_t i = 0; i < seconds.size(); ++i) {
    Json layer{{"layer", view.order->layers.begin + static_cast<int32_t>(i)},
               {"seconds_total", seconds[i]}};
    if (i < view.stats.expert_rows.size() && !view.stats.expert_rows[i].empty())
      layer["expert_rows"] = view.stats.expert_rows[i];
    layers.push_back(std::move(layer));
  }
  return layers;
}

Json kv_json(const KvUsage& kv) {
  return {{"positions_used", kv.positions_used},
          {"positions", kv.positions},
          {"bytes", kv.bytes},
          {"sequences", kv.sequences}};
}

Json hops_json(const StageView& view) {
  const auto steps = static_cast<double>(view.steps);
  return {{"steps", view.steps},
          {"rows", view.rows},
          {"waiting", view.waiting},
          {"computing_seconds", view.computing_seconds},
          {"queue_seconds_total", view.queue_seconds_total},
          {"compute_seconds_total", view.compute_seconds_total},
          {"mean_queue_seconds", ratio(view.queue_seconds_total, steps)},
          {"mean_compute_seconds", ratio(view.compute_seconds_total, steps)}};
}

}  // namespace

WorkerReport::WorkerReport(WorkerFacts facts, const Stage& stage, const Clock& clock,
                           Registry& registry)
    : stage_(stage),
      clock_(clock),
      registry_(registry),
      facts_(std::move(facts)),
      refreshed_ns_(clock.monotonic_ns()) {
  registry_.before_collect([this] { refresh(); });
}

WorkerFacts WorkerReport::facts() const {
  const MutexLock lock(mu_);
  return facts_;
}

void WorkerReport::set_address(std::string address) {
  const MutexLock lock(mu_);
  facts_.address = std::move(address);
}

WorkerReport::Health WorkerReport::health() const {
  const StageView view = stage_.view();
  if (draining_) return {"draining", "is being stopped", false};
  if (!view.loading.empty()) return {"loading", "loads " + view.loading};
  if (view.order) {
    return {"ok", "holds layers " + std::to_string(view.order->layers.begin) + " to " +
                      std::to_string(view.order->layers.end) + " of " + view.order->model};
  }
  if (!view.last_failure.empty()) return {"failed", view.last_failure, false};
  return {"idle", "holds no layers"};
}

std::string WorkerReport::stats_json() const {
  const StageView view = stage_.view();
  const Health now = health();
  const WorkerFacts known = facts();
  Json json{{"name", known.name},
            {"address", known.address},
            {"software", known.software},
            {"status", now.status},
            {"message", now.message},
            {"memory_limit_bytes", known.memory_bytes},
            {"weight_bytes_per_second", known.weight_bytes_per_second},
            {"hops", hops_json(view)},
            {"kv_cache", kv_json(view.kv)}};
  if (view.order) {
    json["model"] = view.order->model;
    json["rank"] = view.order->layers.begin;
    json["layers"] = {{"begin", view.order->layers.begin}, {"end", view.order->layers.end}};
    json["epoch"] = view.order->epoch;
    json["kernel"] = view.kernel;
    json["exact"] = !view.kernel.empty() && view.order->hop_type == NumberType::kFloat32;
    json["weight_bytes"] = view.stats.weight_bytes;
    json["load_seconds"] = view.load_seconds;
    json["layer_times"] = layers_json(view);
    json["expert_cache"] = {{"hits", view.stats.expert_cache_hits},
                            {"misses", view.stats.expert_cache_misses}};
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void WorkerReport::refresh() {
  const StageView view = stage_.view();
  const WorkerFacts known = facts();
  refresh_model(view);
  refresh_layers(view);
  refresh_mlx(view);
  const auto gauge = [this](std::string_view name, std::string_view help, double value) {
    registry_.gauge(name, help).set(value);
  };
  gauge("binnacle_engine_sequences", "Sequences with a KV cache here.",
        static_cast<double>(view.kv.sequences));
  gauge("binnacle_engine_waiting_steps", "Steps that wait to be computed.",
        static_cast<double>(view.waiting));
  gauge("llm_kv_cache_usage_ratio", "Share of the KV cache in use, 0 to 1.",
        ratio(static_cast<double>(view.kv.positions_used), static_cast<double>(view.kv.positions)));
  gauge("llm_kv_cache_capacity_tokens", "Positions that fit into the KV cache.",
        static_cast<double>(view.kv.positions));
  gauge("llm_models_loaded", "1 while layers are held.", view.order ? 1 : 0);
  gauge("llm_model_load_seconds", "Time that the newest load took.", view.load_seconds);
  gauge("binnacle_engine_kv_cache_bytes", "Memory of the KV cache.",
        static_cast<double>(view.kv.bytes));
  gauge("binnacle_engine_step_age_seconds",
        "Since the step that is being computed began; 0: none is. Grows while a stage hangs.",
        view.computing_seconds);
  gauge("binnacle_engine_memory_limit_bytes", "Memory that layers and KV cache may take.",
        static_cast<double>(known.memory_bytes));
  gauge("binnacle_engine_weight_bytes_per_second", "What one pass streams from memory, measured.",
        known.weight_bytes_per_second);
}

void WorkerReport::refresh_model(const StageView& view) {
  const std::string model = view.order ? view.order->model : "";
  if (model != model_ && !model_.empty()) {
    registry_.gauge("llm_model_info", "1 for the model of the layers held.", {{"model", model_}})
        .set(0);
  }
  model_ = model;
  if (!model_.empty()) {
    registry_.gauge("llm_model_info", "1 for the model of the layers held.", {{"model", model_}})
        .set(1);
  }
  registry_.gauge("llm_model_memory_bytes", "Memory taken by the weights held.")
      .set(static_cast<double>(view.stats.weight_bytes));
  if (view.kernel != kernel_ && !kernel_.empty())
    registry_
        .gauge("binnacle_engine_kernel_info", "1 for the kernel that computes.",
               {{"kernel", kernel_}})
        .set(0);
  kernel_ = view.kernel;
  if (!kernel_.empty())
    registry_
        .gauge("binnacle_engine_kernel_info", "1 for the kernel that computes.",
               {{"kernel", kernel_}})
        .set(1);
}

// Times of a range count from its load: counters go on from what they had.
void WorkerReport::refresh_layers(const StageView& view) {
  const LayerRange layers = view.order ? view.order->layers : LayerRange{};
  registry_.gauge("binnacle_engine_first_layer", "The first of the layers held.").set(layers.begin);
  registry_.gauge("binnacle_engine_layers", "How many layers are held.").set(layers.size());
  if (!(layers == layers_)) layer_seconds_.clear();
  layers_ = layers;
  for (size_t i = 0; i < view.stats.layer_seconds.size(); ++i) {
    const int32_t layer = layers.begin + static_cast<int32_t>(i);
    double& known = layer_seconds_[layer];
    const double now = view.stats.layer_seconds[i];
    Counter& counter =
        registry_.counter("binnacle_engine_layer_seconds_total",
                          "Time that a layer took to compute.", {{"layer", std::to_string(layer)}});
    counter.add(now >= known ? now - known : now);
    known = now;
  }
}

void WorkerReport::refresh_mlx(const StageView& view) {
  const int64_t now_ns = clock_.monotonic_ns();
  const double past = static_cast<double>(now_ns - refreshed_ns_) / 1e9;
  const double computed = view.compute_seconds_total - compute_seconds_;
  const uint64_t steps = view.steps - steps_;
  registry_
      .gauge("mlx_gpu_utilization",
             "Percent of the time since the last look that the computing thread was at it.")
      .set(std::clamp(100 * ratio(computed, past), 0.0, 100.0));
  registry_.gauge("mlx_memory_usage_mb", "MiB of weights and KV cache.")
      .set(static_cast<double>(view.stats.weight_bytes + view.kv.bytes) / kMib);
  if (steps > 0) {
    registry_.gauge("mlx_inference_latency_ms", "Mean time of a step since the last look.")
        .set(1e3 * computed / static_cast<double>(steps));
  }
  refreshed_ns_ = now_ns;
  compute_seconds_ = view.compute_seconds_total;
  steps_ = view.steps;
}

}  // namespace binnacle::engine
