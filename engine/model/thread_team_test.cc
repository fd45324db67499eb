#include "engine/model/thread_team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "engine/model/weight_bandwidth.h"

namespace binnacle::engine {
namespace {

TEST(ThreadTeam, EveryPartIsDoneOnce) {
  for (const int threads : {1, 2, 4}) {
    ThreadTeam team(threads);
    EXPECT_EQ(team.threads(), threads);
    std::vector<std::atomic<int>> done(37);
    std::vector<std::atomic<bool>> busy(static_cast<size_t>(threads));
    for (int round = 0; round < 3000; ++round) {
      const int64_t parts = round % 38;
      team.run(parts, [&](int64_t part, int who) {
        EXPECT_FALSE(busy.at(static_cast<size_t>(who)).exchange(true));
        ++done.at(static_cast<size_t>(part));
        busy[static_cast<size_t>(who)] = false;
      });
      for (size_t part = 0; part < done.size(); ++part) {
        ASSERT_EQ(done[part].exchange(0), static_cast<int64_t>(part) < parts ? 1 : 0);
      }
    }
  }
}

TEST(ThreadTeam, WhatPartsWriteIsSeenByTheCaller) {
  ThreadTeam team(3);
  std::vector<int64_t> values(64);
  for (int64_t round = 0; round < 500; ++round) {
    team.run(64, [&](int64_t part, int) { values[static_cast<size_t>(part)] = round + part; });
    for (int64_t part = 0; part < 64; ++part) {
      ASSERT_EQ(values[static_cast<size_t>(part)], round + part);
    }
  }
}

TEST(WeightBandwidth, IsOfThisWorld) {
  WeightBandwidth bandwidth(2, 8 << 20);
  const double bytes = bandwidth.read_once();
  EXPECT_GT(bytes, 1e7);
  EXPECT_LT(bytes, 1e13);
}

}  // namespace
}  // namespace binnacle::engine
