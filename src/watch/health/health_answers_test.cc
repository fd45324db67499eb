#include "watch/health/health_answers.h"

#include <gtest/gtest.h>

namespace binnacle::watch::health {
namespace {

using net::GrpcServing;

class HealthAnswersTest : public testing::Test {
 protected:
  HealthAnswersTest() {
    put("db", "store", "n1", Health::kHealthy, "");
    put("db2", "store", "n2", Health::kFailed, "refused\nby peer");
    put("app", "app", "", Health::kDegraded, "slow");
    put("new", "new", "", Health::kUnknown, "");
    tree_.set_nodes({{.fact = {.name = "n1", .state = model::NodeState::kUp}},
                     {.fact = {.name = "n2", .state = model::NodeState::kUp}},
                     {.fact = {.name = "n3", .state = model::NodeState::kDraining}}},
                    now_);
  }
  void put(const std::string& name, const std::string& component, const std::string& node,
           Health health, const std::string& message) {
    CheckSpec spec;
    spec.name = name;
    spec.component = component;
    spec.node = node;
    spec.rise = spec.fall = 1;
    tree_.put(spec, now_);
    Reading reading;
    reading.health = health;
    reading.message = message;
    tree_.read(name, reading, now_);
  }

  Moment now_{1'000, 1'000};
  HealthTree tree_{"home"};
};

TEST_F(HealthAnswersTest, ServicesServeUnlessTheyAreCriticalOrFailed) {
  EXPECT_EQ(serving_of(tree_, ""), GrpcServing::kServing);
  EXPECT_EQ(serving_of(tree_, "cluster"), GrpcServing::kNotServing);
  EXPECT_EQ(serving_of(tree_, "node/n1"), GrpcServing::kServing);
  EXPECT_EQ(serving_of(tree_, "store"), GrpcServing::kNotServing);  // the worst of that name
  EXPECT_EQ(serving_of(tree_, "n1/store"), GrpcServing::kServing);
  EXPECT_EQ(serving_of(tree_, "app"), GrpcServing::kServing);
  EXPECT_EQ(serving_of(tree_, "new"), GrpcServing::kUnknown);
  EXPECT_EQ(serving_of(tree_, "none"), std::nullopt);
  EXPECT_EQ(serving_of(tree_, "node/none"), std::nullopt);
  const auto all = all_serving(tree_);
  EXPECT_EQ(all.size(), 9U);
  EXPECT_EQ(all.at("n2/store"), GrpcServing::kNotServing);
}

TEST_F(HealthAnswersTest, HaproxyIsToldInItsWords) {
  EXPECT_EQ(agent_check_line(tree_, ""), "down #db2: refused by peer\n");
  EXPECT_EQ(agent_check_line(tree_, "n1/store"), "up ready 100%\n");
  EXPECT_EQ(agent_check_line(tree_, "app"), "up ready 60%\n");
  EXPECT_EQ(agent_check_line(tree_, "node/n3"), "drain\n");
  EXPECT_EQ(agent_check_line(tree_, "new"), "\n");
  EXPECT_EQ(agent_check_line(tree_, "none"), "\n");
}

}  // namespace
}  // namespace binnacle::watch::health
