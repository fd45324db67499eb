#include "watch/health/roll_up.h"

#include <gtest/gtest.h>

namespace binnacle::watch::health {
namespace {

using enum Health;
constexpr auto kMust = Criticality::kCritical;
constexpr auto kShould = Criticality::kContributing;
constexpr auto kMay = Criticality::kInformative;

TEST(RollUpTest, NothingIsUnknownNeverHealthy) {
  const Summary nothing = RollUp().finish();
  EXPECT_EQ(nothing.health, kUnknown);
  EXPECT_EQ(nothing.score(), std::nullopt);
  RollUp informative;
  informative.add_check("a", kHealthy, "", kMay);
  informative.add_check("b", kHealthy, "", kMust, false);
  EXPECT_EQ(informative.finish().health, kUnknown);
  EXPECT_FALSE(informative.finish().counted);
}

TEST(RollUpTest, TheWorstCriticalOneDecidesAndIsNamed) {
  RollUp sum;
  sum.add_check("a", kHealthy, "fine", kMust);
  sum.add_check("b", kCritical, "full", kMust);
  sum.add_check("c", kDegraded, "slow", kMust);
  const Summary out = sum.finish();
  EXPECT_EQ(out.health, kCritical);
  EXPECT_EQ(out.deciding, "b");
  EXPECT_EQ(out.reason, "full");
  EXPECT_EQ(out.score(), 49);  // the mean is 63
}

TEST(RollUpTest, ContributingOnesCapAtDegraded) {
  RollUp sum;
  sum.add_check("a", kHealthy, "", kMust);
  sum.add_check("b", kFailed, "gone", kShould);
  EXPECT_EQ(sum.finish().health, kDegraded);
  EXPECT_EQ(sum.finish().deciding, "b");
  EXPECT_EQ(sum.finish().score(), 67);
}

TEST(RollUpTest, InformativeAndMaintainedOnesDoNotCount) {
  RollUp sum;
  sum.add_check("a", kHealthy, "", kMust);
  sum.add_check("b", kFailed, "", kMay);
  sum.add_check("c", kFailed, "", kMust, false);
  EXPECT_EQ(sum.finish().health, kHealthy);
  EXPECT_EQ(sum.finish().score(), 100);
}

TEST(RollUpTest, UnknownStandsBetweenBadAndGood) {
  RollUp sum;
  sum.add_check("a", kHealthy, "", kMust);
  sum.add_check("b", kUnknown, "silent", kMust);
  EXPECT_EQ(sum.finish().health, kUnknown);
  EXPECT_EQ(sum.finish().deciding, "b");
  sum.add_check("c", kDegraded, "slow", kMust);
  EXPECT_EQ(sum.finish().health, kDegraded);

  RollUp minor;
  minor.add_check("b", kUnknown, "silent", kShould);
  EXPECT_EQ(minor.finish().health, kUnknown);
  EXPECT_EQ(minor.finish().score(), std::nullopt);
  minor.add_check("a", kHealthy, "", kMust);
  EXPECT_EQ(minor.finish().health, kHealthy);
  EXPECT_EQ(minor.finish().score(), 83);
}

TEST(RollUpTest, WholesAddUpAsTheirChecksWould) {
  RollUp good;
  good.add_check("a", kHealthy, "", kMust);
  RollUp bad;
  bad.add_check("b", kFailed, "gone", kMust);
  RollUp whole;
  whole.add(good.finish(), kMust);
  whole.add(bad.finish(), kMust);
  EXPECT_EQ(whole.finish().health, kFailed);
  EXPECT_EQ(whole.finish().deciding, "b");
  EXPECT_EQ(whole.finish().score(), 19);
  EXPECT_EQ(whole.finish().checks[0], 1U);
  EXPECT_EQ(whole.finish().checks[3], 1U);
  RollUp spare;
  spare.add(good.finish(), kMust);
  spare.add(bad.finish(), kShould);
  EXPECT_EQ(spare.finish().health, kDegraded);
}

TEST(NodeVerdictTest, FollowsTheStateOfTheNode) {
  using State = model::NodeState;
  const auto health = [](State state, bool overdue = false) {
    return verdict_of({.name = "n", .state = state, .overdue = overdue})->health;
  };
  EXPECT_EQ(health(State::kUp), kHealthy);
  EXPECT_EQ(health(State::kSuspect), kDegraded);
  EXPECT_EQ(health(State::kDraining), kDegraded);
  EXPECT_EQ(health(State::kDown), kFailed);
  EXPECT_EQ(health(State::kUnknown), kUnknown);
  EXPECT_EQ(health(State::kUnknown, true), kCritical);
  EXPECT_FALSE(verdict_of({.name = "n", .state = State::kLeft}));
  EXPECT_EQ(unknown_because_of({.name = "n", .state = State::kDown}), "node n is down");
  EXPECT_EQ(unknown_because_of({.name = "n", .state = State::kSuspect}), "");
}

}  // namespace
}  // namespace binnacle::watch::health
