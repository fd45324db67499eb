#include "collect/mesh/mesh_planner.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace binnacle::collect::mesh {
namespace {

std::vector<link::Peer> many(size_t count) {
  std::vector<link::Peer> peers;
  for (size_t i = 0; i < count; ++i)
    peers.push_back({fmt::format("{:032x}", i), fmt::format("n{}", i), fmt::format("h{}:9", i)});
  return peers;
}

std::set<std::string> names(const std::vector<link::Peer>& peers) {
  std::set<std::string> names;
  for (const link::Peer& peer : peers) names.insert(peer.name);
  return names;
}

TEST(Summarize, TellsMedianLossAndJitter) {
  const MeshRow row = summarize("p", {4'000'000, std::nullopt, 1'000'000, 2'000'000});
  EXPECT_EQ(row.peer, "p");
  EXPECT_DOUBLE_EQ(row.loss_ratio, 0.25);
  EXPECT_DOUBLE_EQ(*row.round_trip_seconds, 0.002);
  EXPECT_DOUBLE_EQ(*row.jitter_seconds, 0.002);  // 3 ms, then 1 ms
  EXPECT_DOUBLE_EQ(*summarize("p", {1'000'000, 3'000'000}).round_trip_seconds, 0.002);
}

TEST(Summarize, WhatIsLostHasNoRoundTrip) {
  const MeshRow gone = summarize("p", {std::nullopt, std::nullopt});
  EXPECT_DOUBLE_EQ(gone.loss_ratio, 1);
  EXPECT_FALSE(gone.round_trip_seconds);
  const MeshRow one = summarize("p", {5'000'000, std::nullopt});
  EXPECT_TRUE(one.round_trip_seconds);
  EXPECT_FALSE(one.jitter_seconds) << "one has no step";
}

TEST(ChoosePeers, OfManyEachMeasuresAFewAndIsMeasuredByAFew) {
  const auto peers = many(300);
  std::map<std::string, int> measured;
  for (const link::Peer& self : peers) {
    const auto chosen = choose_peers(peers, self.node_id, 7, 8);
    EXPECT_EQ(names(chosen).size(), 8U);
    EXPECT_FALSE(names(chosen).contains(self.name));
    for (const std::string& name : names(chosen)) ++measured[name];
  }
  int most = 0;
  for (const auto& [name, times] : measured) most = std::max(most, times);
  EXPECT_LE(most, 25) << "8 on average";
}

TEST(ChoosePeers, RotatesUntilAllWereMeasured) {
  const auto peers = many(50);
  std::set<std::string> seen;
  for (int64_t epoch = 0; epoch < 60; ++epoch) {
    for (const std::string& name : names(choose_peers(peers, peers[0].node_id, epoch, 8)))
      seen.insert(name);
  }
  EXPECT_EQ(seen.size(), 49U);
}

TEST(ChoosePeers, ANodeThatComesOrGoesChangesOnlyItsOwnPairs) {
  const auto before = many(100);
  auto after = before;
  after.erase(after.begin() + 50);
  std::reverse(after.begin(), after.end());
  for (size_t i = 0; i < 20; ++i) {
    auto was = names(choose_peers(before, before[i].node_id, 3, 8));
    const auto is = names(choose_peers(after, before[i].node_id, 3, 8));
    was.erase("n50");
    EXPECT_TRUE(std::includes(is.begin(), is.end(), was.begin(), was.end()));
  }
}

class MeshPlannerTest : public testing::Test {
 protected:
  // Ticks when the planner wants to, until `end_ms`; every probe is answered at once.
  void run(int64_t end_ms, std::optional<int64_t> round_trip_ns = 1'000'000) {
    while (now_ms_ < end_ms) {
      const auto step = planner_.tick(now_ms_, now_ms_);
      for (const MeshProbe& probe : step.probes) {
        ++probes_[probe.address];
        EXPECT_LE(probe.timeout_ms, 2'000);
        planner_.outcome(probe.id, round_trip_ns);
      }
      at_once_ = std::max(at_once_, step.probes.size());
      rows_.insert(rows_.end(), step.rows.begin(), step.rows.end());
      ASSERT_GT(planner_.next_due_ms(), now_ms_);
      now_ms_ = planner_.next_due_ms();
    }
  }

  MeshPlanner planner_{{}, fmt::format("{:032x}", 0), {"server", "s:1"}};
  int64_t now_ms_ = 1'000'000;
  std::map<std::string, int> probes_;
  std::vector<MeshRow> rows_;
  size_t at_once_ = 0;
};

TEST_F(MeshPlannerTest, ARoundGoesToTheServerAndToAFewPeers) {
  planner_.set_peers(many(1000));
  run(1'010'001);
  EXPECT_EQ(probes_.size(), 9U);
  for (const auto& [address, count] : probes_) EXPECT_GE(count, 4) << address;
  EXPECT_EQ(probes_["s:1"], 5) << "four, and the first of the next round";
  EXPECT_EQ(rows_.size(), 9U);
  EXPECT_EQ(rows_[0].peer, "server");
  EXPECT_DOUBLE_EQ(rows_[0].loss_ratio, 0);
  EXPECT_EQ(at_once_, 1U) << "spread";
}

TEST_F(MeshPlannerTest, WithoutPeersTheServerIsMeasured) {
  run(1'030'001);
  EXPECT_EQ(rows_.size(), 3U);
}

TEST_F(MeshPlannerTest, TheChoiceStaysForAnHour) {
  planner_.set_peers(many(1000));
  now_ms_ = 3'600'000;
  run(3'660'000);
  EXPECT_EQ(probes_.size(), 9U);
  now_ms_ = 7'200'000;
  run(7'260'000);
  EXPECT_GT(probes_.size(), 12U);
}

TEST_F(MeshPlannerTest, AnAnswerThatIsTooLateIsALoss) {
  const auto first = planner_.tick(now_ms_, now_ms_);
  ASSERT_EQ(first.probes.size(), 1U);
  const auto next = planner_.tick(now_ms_ + 10'000, now_ms_ + 10'000);
  ASSERT_EQ(next.rows.size(), 1U);
  EXPECT_DOUBLE_EQ(next.rows[0].loss_ratio, 1);
  planner_.outcome(first.probes[0].id, 5);
  now_ms_ += 10'000;
  run(now_ms_ + 10'001, std::nullopt);
  EXPECT_DOUBLE_EQ(rows_[0].loss_ratio, 1) << "of the round before: not counted in this one";
}

TEST_F(MeshPlannerTest, AfterASleepItDoesNotHurry) {
  planner_.tick(now_ms_, now_ms_);
  now_ms_ += 9'000;  // within the round: three are overdue
  const auto late = planner_.tick(now_ms_, now_ms_);
  EXPECT_EQ(late.probes.size(), 1U);
  EXPECT_TRUE(planner_.tick(now_ms_ + 1, now_ms_ + 1).probes.empty());
  EXPECT_EQ(planner_.next_due_ms(), 1'010'000);
}

}  // namespace
}  // namespace binnacle::collect::mesh
