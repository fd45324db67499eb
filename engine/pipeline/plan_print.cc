// A plan for people and for programs, and the file of figures that `binnacle-engine plan` reads.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>
#include <nlohmann/json.hpp>

#include "engine/pipeline/planner.h"

namespace binnacle::engine {
namespace {

constexpr double kMega = 1e6;
constexpr double kGiga = 1e9;

Result<double> figure(const YAML::Node& worker, const char* key, const std::string& where) {
  const YAML::Node node = worker[key];
  if (!node) return 0.0;
  double value = 0;
  if (!YAML::convert<double>::decode(node, value) || value < 0) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: {} is not a number of at least 0", where, key));
  }
  return value;
}

Result<PlanWorker> read_worker(const YAML::Node& node, const std::string& where) {
  if (!node.IsMap() || !node["address"] || !node["address"].IsScalar()) {
    return fail(Code::kInvalidArgument, fmt::format("{}: a worker needs an `address`", where));
  }
  for (const auto& entry : node) {
    const auto key = entry.first.as<std::string>();
    if (key != "address" && key != "gigabytes_per_second" && key != "memory_gb" &&
        key != "hop_ms" && key != "kernel") {
      return fail(Code::kInvalidArgument,
                  fmt::format("{}: unknown key `{}`: address, gigabytes_per_second, memory_gb, "
                              "hop_ms, kernel",
                              where, key));
    }
  }
  PlanWorker worker;
  worker.address = node["address"].as<std::string>();
  TRY_ASSIGN(const double speed, figure(node, "gigabytes_per_second", where));
  TRY_ASSIGN(const double memory, figure(node, "memory_gb", where));
  TRY_ASSIGN(const double hop, figure(node, "hop_ms", where));
  worker.bytes_per_second = speed * kGiga;
  worker.memory_bytes = static_cast<int64_t>(memory * kGiga);
  worker.hop_seconds = hop / 1e3;
  if (node["kernel"] && node["kernel"].IsScalar()) worker.kernel = node["kernel"].as<std::string>();
  return worker;
}

}  // namespace

std::string plan_table(const PlanRequest& request, const Plan& plan) {
  std::string out =
      fmt::format("{}: {} layers, {} replica{}\n", request.model.name, request.model.layers,
                  plan.replicas.size(), plan.replicas.size() == 1 ? "" : "s");
  out += fmt::format("{:>7}  {:<24} {:>9} {:>12} {:>10} {:>12}\n", "replica", "worker", "layers",
                     "weights MB", "KV MB", "ms a row");
  for (size_t r = 0; r < plan.replicas.size(); ++r) {
    for (const PlanStage& stage : plan.replicas[r].stages) {
      out += fmt::format("{:>7}  {:<24} {:>9} {:>12.1f} {:>10.1f} {:>12.3f}\n", r, stage.address,
                         fmt::format("{}-{}", stage.layers.begin, stage.layers.end - 1),
                         static_cast<double>(stage.weight_bytes) / kMega,
                         static_cast<double>(stage.kv_bytes) / kMega, stage.seconds * 1e3);
    }
    out +=
        fmt::format("{:>7}  one token {:.3f} ms, the slowest stage {:.3f} ms\n", r,
                    plan.replicas[r].token_seconds * 1e3, plan.replicas[r].slowest_seconds * 1e3);
  }
  for (const std::string& address : plan.idle) out += fmt::format("   idle  {}\n", address);
  return out;
}

std::string plan_json(const PlanRequest& request, const Plan& plan) {
  nlohmann::json replicas = nlohmann::json::array();
  for (const PlanReplica& replica : plan.replicas) {
    nlohmann::json stages = nlohmann::json::array();
    for (const PlanStage& stage : replica.stages) {
      stages.push_back({{"worker", stage.address},
                        {"first_layer", stage.layers.begin},
                        {"last_layer", stage.layers.end - 1},
                        {"weight_bytes", stage.weight_bytes},
                        {"kv_bytes", stage.kv_bytes},
                        {"seconds", stage.seconds}});
    }
    replicas.push_back({{"stages", std::move(stages)},
                        {"slowest_stage_seconds", replica.slowest_seconds},
                        {"token_seconds", replica.token_seconds}});
  }
  return nlohmann::json{{"model", request.model.name},
                        {"layers", request.model.layers},
                        {"kv_positions", request.kv_positions},
                        {"replicas", std::move(replicas)},
                        {"idle", plan.idle}}
      .dump();
}

Result<std::vector<PlanWorker>> read_plan_workers(const std::string& yaml,
                                                  const std::string& file) {
  try {
    const YAML::Node root = YAML::Load(yaml);
    if (!root.IsMap() || !root["workers"] || !root["workers"].IsSequence() ||
        root["workers"].size() == 0) {
      return fail(Code::kInvalidArgument, fmt::format("{}: it needs a list `workers`", file));
    }
    std::vector<PlanWorker> workers;
    for (size_t i = 0; i < root["workers"].size(); ++i) {
      TRY_ASSIGN(auto worker,
                 read_worker(root["workers"][i], fmt::format("{}: worker {}", file, i + 1)));
      workers.push_back(std::move(worker));
    }
    return workers;
  } catch (const YAML::Exception& error) {
    return fail(Code::kInvalidArgument, fmt::format("{}: {}", file, error.what()));
  }
}

}  // namespace binnacle::engine
