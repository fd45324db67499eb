#include "engine/pipeline/planner.h"

#include <gtest/gtest.h>

namespace binnacle::engine {
namespace {

ModelConfig model(int32_t layers) {
  ModelConfig config;
  config.name = "m";
  config.layers = layers;
  config.hidden = 64;
  config.heads = 4;
  config.kv_heads = 4;
  config.head_size = 16;
  config.ffn = 256;
  config.vocabulary = 258;
  config.max_positions = 512;
  return config;
}

PlanRequest request(int32_t layers, std::vector<PlanWorker> workers) {
  PlanRequest r;
  r.model = model(layers);
  r.kv_positions = 1024;
  r.workers = std::move(workers);
  return r;
}

void expect_whole(const PlanReplica& replica, int32_t layers) {
  int32_t next = 0;
  for (const PlanStage& stage : replica.stages) {
    EXPECT_EQ(stage.layers.begin, next);
    EXPECT_GT(stage.layers.size(), 0);
    next = stage.layers.end;
  }
  EXPECT_EQ(next, layers);
}

TEST(Planner, EqualWorkersGetEqualShares) {
  const auto plan = make_plan(request(24, {{"a", 1e9}, {"b", 1e9}, {"c", 1e9}}));
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->replicas.size(), 1U);
  expect_whole(plan->replicas[0], 24);
  ASSERT_EQ(plan->replicas[0].stages.size(), 3U);
  for (const PlanStage& stage : plan->replicas[0].stages) EXPECT_EQ(stage.layers.size(), 8);
}

TEST(Planner, LayersFollowSpeed) {
  const auto plan = make_plan(request(30, {{"slow", 1e9}, {"fast", 2e9}}));
  ASSERT_TRUE(plan) << plan.error().message;
  expect_whole(plan->replicas[0], 30);
  for (const PlanStage& stage : plan->replicas[0].stages) {
    EXPECT_NEAR(stage.layers.size(), stage.address == "fast" ? 20 : 10, 1) << stage.address;
  }
}

TEST(Planner, MemoryBounds) {
  auto r = request(10, {{"a", 1e9}, {"b", 1e9}});
  const auto free = make_plan(r);
  ASSERT_TRUE(free);
  const int64_t of_layer = free->replicas[0].stages[0].weight_bytes / 5;
  r.workers[0].memory_bytes = (of_layer + free->replicas[0].stages[0].kv_bytes / 5) * 3;
  const auto plan = make_plan(r);
  ASSERT_TRUE(plan) << plan.error().message;
  expect_whole(plan->replicas[0], 10);
  for (const PlanStage& stage : plan->replicas[0].stages) {
    if (stage.address == "a")
      EXPECT_LE(stage.weight_bytes + stage.kv_bytes, r.workers[0].memory_bytes);
  }
}

TEST(Planner, SaysWhatIsMissing) {
  auto r = request(10, {{"a", 1e9, 1000}, {"b", 1e9, 1000}});
  const auto plan = make_plan(r);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kFailedPrecondition);
  EXPECT_NE(plan.error().message.find("does not fit"), std::string::npos);
  EXPECT_EQ(make_plan(request(10, {})).error().code, Code::kFailedPrecondition);
}

TEST(Planner, AFarWorkerStaysIdle) {
  const auto plan = make_plan(request(4, {{"near", 1e9}, {"far", 1e9, 0, 10.0}}));
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->replicas[0].stages.size(), 1U);
  EXPECT_EQ(plan->replicas[0].stages[0].address, "near");
  EXPECT_EQ(plan->idle, std::vector<std::string>{"far"});
}

TEST(Planner, FewerLayersThanWorkers) {
  const auto plan = make_plan(request(2, {{"a", 1e9}, {"b", 1e9}, {"c", 1e9}}));
  ASSERT_TRUE(plan);
  expect_whole(plan->replicas[0], 2);
  EXPECT_EQ(plan->idle.size(), 1U);
}

TEST(Planner, ReplicasShareTheWorkers) {
  auto r = request(8, {{"a", 4e9}, {"b", 3e9}, {"c", 2e9}, {"d", 1e9}});
  r.replicas = 2;
  const auto plan = make_plan(r);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->replicas.size(), 2U);
  for (const PlanReplica& replica : plan->replicas) expect_whole(replica, 8);
  EXPECT_NEAR(plan->replicas[0].slowest_seconds, plan->replicas[1].slowest_seconds,
              plan->replicas[0].slowest_seconds * 0.7);
  r.replicas = 9;  // more than there are workers
  EXPECT_EQ(make_plan(r)->replicas.size(), 4U);
}

TEST(Planner, AsManyStagesAsAskedFor) {
  auto r = request(4, {{"near", 1e9}, {"far", 1e9, 0, 10.0}});
  r.min_stages = 3;
  EXPECT_EQ(make_plan(r)->replicas[0].stages.size(), 2U);
}

TEST(Planner, KernelsAreNotMixed) {
  const auto plan =
      make_plan(request(8, {{"a", 1e9, 0, 0, "x"}, {"b", 1e9, 0, 0, "y"}, {"c", 1e9, 0, 0, "x"}}));
  ASSERT_TRUE(plan);
  for (const PlanStage& stage : plan->replicas[0].stages) EXPECT_NE(stage.address, "b");
  EXPECT_EQ(plan->idle, std::vector<std::string>{"b"});
}

TEST(Planner, PrintsTableAndJson) {
  const auto r = request(4, {{"a", 1e9}, {"b", 1e9}});
  const auto plan = make_plan(r);
  ASSERT_TRUE(plan);
  const std::string table = plan_table(r, *plan);
  EXPECT_NE(table.find("0-1"), std::string::npos) << table;
  EXPECT_NE(table.find("2-3"), std::string::npos) << table;
  EXPECT_NE(plan_json(r, *plan).find(R"("first_layer":2)"), std::string::npos);
}

TEST(Planner, ReadsFigures) {
  const auto workers = read_plan_workers(
      "workers:\n  - {address: 'h:1', gigabytes_per_second: 2, memory_gb: 1, hop_ms: 3}\n", "f");
  ASSERT_TRUE(workers) << workers.error().message;
  EXPECT_EQ(workers->at(0).bytes_per_second, 2e9);
  EXPECT_EQ(workers->at(0).hop_seconds, 0.003);
  for (const char* bad :
       {"", "workers: []", "workers: [{memory_gb: 1}]", "a: [", "workers: 3",
        "workers: [{address: a, speed: 3}]", "workers: [{address: a, memory_gb: x}]"}) {
    EXPECT_EQ(read_plan_workers(bad, "f").error().code, Code::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace binnacle::engine
