#include "watch/health/health_tree.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "base/random.h"

namespace binnacle::watch::health {
namespace {

using enum Health;

Reading reading(Health health, const std::string& message = "seen") {
  Reading out;
  out.health = health;
  out.message = message;
  return out;
}

class HealthTreeTest : public testing::Test {
 protected:
  CheckSpec spec(const std::string& name, const std::string& component = "",
                 const std::string& node = "") {
    CheckSpec out;
    out.name = name;
    out.kind = "tcp";
    out.component = component;
    out.node = node;
    out.rise = out.fall = 1;
    out.interval_ms = 10'000;
    return out;
  }
  Changes read(const std::string& name, Health health, const std::string& message = "seen") {
    pass(1);
    return tree_.read(name, reading(health, message), now_);
  }
  void pass(int64_t ms) {
    now_.wall_ms += ms;
    now_.monotonic_ms += ms;
  }
  Changes set_node(const std::string& name, model::NodeState state, bool overdue = false) {
    nodes_[name] = {.fact = {.name = name, .state = state, .overdue = overdue}};
    std::vector<NodeUpdate> updates;
    for (const auto& [key, update] : nodes_) updates.push_back(update);
    return tree_.set_nodes(updates, now_);
  }
  Health of(const std::string& check) { return tree_.checks().at(check).state.health; }
  const Summary& cluster() { return tree_.cluster().sum; }
  static std::string text(const Changes& changes) {
    std::string out;
    for (const HealthChange& change : changes) {
      out += fmt::format("{} {}: {}>{}; ", scope_name(change.scope), change.name,
                         health_name(change.from), health_name(change.to));
    }
    return out;
  }

  HealthTree tree_{"home"};
  Moment now_{1'700'000'000'000, 1'000};
  std::map<std::string, NodeUpdate> nodes_;
};

TEST_F(HealthTreeTest, AChangeGoesUpAndNamesWhatDecided) {
  tree_.put(spec("db", "store", "n1"), now_);
  tree_.put(spec("disk", "store", "n1"), now_);
  set_node("n1", model::NodeState::kUp);
  read("db", kHealthy);
  EXPECT_EQ(cluster().health, kUnknown);  // the disk is not known yet
  EXPECT_EQ(text(read("disk", kHealthy)),
            "check disk: unknown>healthy; component store: unknown>healthy; "
            "node n1: unknown>healthy; cluster home: unknown>healthy; ");
  EXPECT_EQ(cluster().score(), 100);
  const Changes changes = read("db", kFailed, "refused");
  ASSERT_EQ(changes.size(), 4U);
  EXPECT_EQ(changes[3].to, kFailed);
  EXPECT_EQ(changes[3].deciding, "db");
  EXPECT_EQ(changes[3].reason, "refused");
  EXPECT_EQ(changes[1].score, 19);
  EXPECT_TRUE(read("db", kFailed).empty());
}

TEST_F(HealthTreeTest, ADeadNodeIsOneAlarm) {
  tree_.put(spec("db", "store", "n1"), now_);
  set_node("n1", model::NodeState::kUp);
  read("db", kHealthy);
  EXPECT_EQ(text(set_node("n1", model::NodeState::kSuspect)),
            "node n1: healthy>degraded; cluster home: healthy>degraded; ");
  EXPECT_TRUE(read("db", kFailed).empty());  // held while the node is suspected
  EXPECT_EQ(text(set_node("n1", model::NodeState::kDown)),
            "check db: healthy>unknown; component store: healthy>unknown; "
            "node n1: degraded>failed; cluster home: degraded>failed; ");
  EXPECT_EQ(cluster().deciding, "node/n1");
  EXPECT_EQ(cluster().reason, "down");
  set_node("n1", model::NodeState::kUp);
  EXPECT_EQ(cluster().health, kUnknown);
  read("db", kHealthy);
  EXPECT_EQ(cluster().health, kHealthy);
}

TEST_F(HealthTreeTest, WhoLeftIsNotCountedAndWhoNeverCameIs) {
  tree_.put(spec("a", "app", "n1"), now_);
  tree_.put(spec("b", "app", "n2"), now_);
  set_node("n1", model::NodeState::kUp);
  set_node("n2", model::NodeState::kUp);
  read("a", kHealthy);
  read("b", kFailed);
  EXPECT_EQ(cluster().health, kFailed);
  set_node("n2", model::NodeState::kLeft);
  EXPECT_EQ(cluster().health, kHealthy);
  set_node("n3", model::NodeState::kUnknown);
  EXPECT_EQ(cluster().health, kUnknown);
  set_node("n3", model::NodeState::kUnknown, true);
  EXPECT_EQ(cluster().health, kCritical);
  EXPECT_EQ(cluster().deciding, "node/n3");
  nodes_.erase("n3");
  set_node("n1", model::NodeState::kUp);
  EXPECT_EQ(cluster().health, kHealthy);
}

TEST_F(HealthTreeTest, WhatDependsOnAFailedCheckIsUnknownWithThatReason) {
  tree_.put(spec("db"), now_);
  CheckSpec app = spec("app");
  app.depends_on = {"db"};
  tree_.put(app, now_);
  CheckSpec page = spec("page");
  page.depends_on = {"app"};
  tree_.put(page, now_);
  for (const char* name : {"db", "app", "page"}) read(name, kHealthy);
  read("db", kFailed, "refused");
  EXPECT_EQ(of("app"), kUnknown);
  EXPECT_EQ(of("page"), kUnknown);
  EXPECT_EQ(tree_.checks().at("app").state.reason, "depends on db, which is failed: refused");
  EXPECT_TRUE(read("app", kFailed).empty());
  read("db", kHealthy);
  read("app", kFailed);
  EXPECT_EQ(of("app"), kFailed);
  tree_.remove("db", now_);
  read("app", kHealthy);
  EXPECT_EQ(of("app"), kHealthy);
}

TEST_F(HealthTreeTest, MaintenanceIsShownAndNotCounted) {
  tree_.put(spec("a"), now_);
  tree_.put(spec("b"), now_);
  read("a", kHealthy);
  read("b", kFailed);
  tree_.maintain("b", {now_.wall_ms + 5'000, "new disk"}, now_);
  EXPECT_EQ(of("b"), kFailed);
  EXPECT_EQ(cluster().health, kHealthy);
  pass(5'001);
  EXPECT_EQ(text(tree_.look(now_)), "component b: unknown>failed; cluster home: healthy>failed; ");
}

TEST_F(HealthTreeTest, SilenceIsNoticedByLooking) {
  tree_.put(spec("a"), now_);
  read("a", kHealthy);
  pass(29'000);
  EXPECT_TRUE(tree_.look(now_).empty());
  pass(2'000);
  EXPECT_EQ(text(tree_.look(now_)),
            "check a: healthy>unknown; component a: healthy>unknown; "
            "cluster home: healthy>unknown; ");
}

TEST_F(HealthTreeTest, AReplacedCheckKeepsItsStateAndMovesHouse) {
  tree_.put(spec("a", "old"), now_);
  read("a", kFailed);
  tree_.put(spec("a", "new"), now_);
  EXPECT_EQ(of("a"), kFailed);
  EXPECT_FALSE(tree_.components().contains({"", "old"}));
  EXPECT_EQ(tree_.components().at({"", "new"}).sum.health, kFailed);
  tree_.remove("a", now_);
  EXPECT_TRUE(tree_.components().empty());
  EXPECT_EQ(cluster().health, kUnknown);
}

TEST(CheckDependencies, RefusesCirclesAndStrangers) {
  EXPECT_TRUE(check_dependencies({{"a", {"b", "c"}}, {"b", {"c"}}, {"c", {}}}));
  const auto circle = check_dependencies({{"a", {"b"}}, {"b", {"c"}}, {"c", {"a"}}});
  EXPECT_NE(circle.error().message.find("depends on itself by way of c"), std::string::npos);
  const auto stranger = check_dependencies({{"a", {"x"}}});
  EXPECT_NE(stranger.error().message.find("there is no check x"), std::string::npos);
}

// The same tree built anew from where it arrived must think the same of every whole.
TEST_F(HealthTreeTest, WhatIsWorkedOutStepByStepIsWhatWouldBeAtOnce) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SeededRandom random(seed);
    HealthTree tree("home");
    const auto name = [&] { return fmt::format("c{}", random.below(12)); };
    std::map<std::string, CheckSpec> specs;
    for (int i = 0; i < 200; ++i) {
      pass(1);
      switch (random.below(5)) {
        case 0: {
          const std::string node = random.below(2) == 0 ? "" : fmt::format("n{}", random.below(3));
          CheckSpec one = spec(name(), fmt::format("part{}", random.below(4)), node);
          one.criticality = static_cast<Criticality>(random.below(3));
          tree.put(specs[one.name] = one, now_);
          break;
        }
        case 1: {
          const std::string gone = name();
          if (random.below(3) == 0) tree.remove(gone, now_), specs.erase(gone);
          break;
        }
        default:
          tree.read(name(), reading(static_cast<Health>(random.below(4))), now_);
      }
    }
    HealthTree anew("home");
    for (const auto& [key, one] : specs) {
      anew.put(one, now_);
      const CheckState& state = tree.checks().at(key).state;
      if (state.last) anew.read(key, reading(state.health), now_);
    }
    ASSERT_EQ(anew.components().size(), tree.components().size()) << seed;
    for (const auto& [key, row] : tree.components()) {
      const Summary& other = anew.components().at(key).sum;
      ASSERT_EQ(row.sum.health, other.health) << seed << " " << key.second;
      ASSERT_EQ(row.sum.checks, other.checks) << seed << " " << key.second;
    }
    ASSERT_EQ(anew.cluster().sum.health, tree.cluster().sum.health) << seed;
    ASSERT_EQ(anew.cluster().sum.score(), tree.cluster().sum.score()) << seed;
  }
}

}  // namespace
}  // namespace binnacle::watch::health
