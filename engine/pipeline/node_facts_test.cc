#include "engine/pipeline/node_facts.h"

#include <gtest/gtest.h>

#include "base/version.h"

namespace binnacle::engine {
namespace {

const link::Fact kSoftware{"engine", "binnacle-engine " + std::string(version())};

TEST(NodeFacts, AWorkerTellsTheHashOfTheLayersThatItHolds) {
  StageView view;
  EXPECT_EQ(worker_node_facts(view, "holds no layers"),
            (link::Facts{{kSoftware, {"layers", "holds no layers"}}}));
  view.order = LoadOrder{.model = "/srv/models/demo/", .layers = {4, 16}, .weights_hash = "0a1b"};
  EXPECT_EQ(worker_node_facts(view, "x"),
            (link::Facts{{kSoftware, {"layers", "x"}, {"model_hash/demo/4-16", "0a1b"}}}));
  view.order->model = std::string(200, 'm');
  const auto facts = worker_node_facts(view, "x").facts;
  EXPECT_EQ(facts[2].name.size(), link::kMaxFactNameBytes);
  EXPECT_TRUE(facts[2].name.ends_with("m/4-16"));
  view.order->weights_hash.clear();
  EXPECT_EQ(worker_node_facts(view, "x").facts.size(), 2U) << "emulated: nothing was read";
}

TEST(NodeFacts, WhoServesTellsTheHashOfTheWholeModel) {
  Checkpoint checkpoint;
  auto served = std::make_shared<ServedModel>();
  served->name = "demo";
  checkpoint.served = served;
  checkpoint.source.config.layers = 6;
  EXPECT_EQ(serving_node_facts(checkpoint), (link::Facts{{kSoftware, {"model", "demo"}}}));
  checkpoint.source.hash = [](LayerRange layers) {
    return "all of " + std::to_string(layers.begin) + "-" + std::to_string(layers.end);
  };
  EXPECT_EQ(serving_node_facts(checkpoint).facts[2], (link::Fact{"model_hash", "all of 0-6"}));
}

}  // namespace
}  // namespace binnacle::engine
