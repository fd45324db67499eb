#include "engine/train/step_guard.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/train/stall_watch.h"
#include "engine/train/straggler_watch.h"

namespace binnacle::engine {
namespace {

// Values of mean 2 and deviation 0.1.
void feed(StepGuard& guard, int steps) {
  for (int i = 0; i < steps; ++i) {
    ASSERT_EQ(guard.judge(i % 2 == 0 ? 1.9 : 2.1, 1), StepVerdict::kApply) << i;
  }
}

TEST(StepGuardTest, SixDeviationsAreTheMark) {
  StepGuard guard({});
  feed(guard, 64);
  EXPECT_EQ(guard.judge(2.59, 1), StepVerdict::kApply);
  StepGuard other({});
  feed(other, 64);
  EXPECT_EQ(other.judge(2.61, 1), StepVerdict::kLossSpike);
  EXPECT_EQ(other.judge(0.1, 1), StepVerdict::kApply);  // a fall is no spike
}

TEST(StepGuardTest, NothingIsJudgedBeforeItsTime) {
  StepGuard guard({});
  feed(guard, 63);
  EXPECT_EQ(guard.judge(100, 100), StepVerdict::kApply);
}

TEST(StepGuardTest, SkippedValuesDoNotMoveTheWindow) {
  StepGuard guard({});
  feed(guard, 64);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(guard.judge(50, 1), StepVerdict::kLossSpike);
  EXPECT_EQ(guard.skipped_in_a_row, 10);
  EXPECT_TRUE(guard.check_progress());
  EXPECT_EQ(guard.judge(2, 1), StepVerdict::kApply);
  EXPECT_EQ(guard.skipped_in_a_row, 0);
}

TEST(StepGuardTest, WhatIsNoNumberIsSeenFromTheFirstStep) {
  StepGuard guard({});
  EXPECT_EQ(guard.judge(NAN, 1), StepVerdict::kNotANumber);
  EXPECT_EQ(guard.judge(1, INFINITY), StepVerdict::kNotANumber);
  EXPECT_TRUE(guard.losses.values.empty());
}

TEST(StepGuardTest, WindowIsBounded) {
  StepGuard guard({});
  feed(guard, 500);
  EXPECT_EQ(guard.losses.values.size(), 128);
}

TEST(StallWatchTest, TenMediansAndHalfAMinute) {
  StallWatch watch({}, 0);
  EXPECT_FALSE(watch.stalled_since(29'999));
  EXPECT_EQ(watch.stalled_since(30'000), 0);
  for (int64_t i = 1; i <= 5; ++i) watch.step_ended(i * 10'000, 10'000);
  EXPECT_EQ(watch.median_step_ms(), 10'000);
  EXPECT_FALSE(watch.stalled_since(149'999));
  EXPECT_EQ(watch.stalled_since(150'000), 50'000);
  watch.alive(150'000);
  EXPECT_FALSE(watch.stalled_since(150'000));
}

std::vector<int32_t> feed_windows(StragglerWatch& watch, const std::vector<double>& seconds,
                                  size_t windows) {
  std::vector<int32_t> found;
  for (size_t i = 0; i < windows * StragglerWatch::kWindow; ++i) {
    for (const int32_t rank : watch.add(seconds)) found.push_back(rank);
  }
  return found;
}

TEST(StragglerWatchTest, SlowRankIsToldOnceAfterThreeWindows) {
  StragglerWatch watch(3, 0.7);
  EXPECT_TRUE(feed_windows(watch, {1, 1.5, 1.1}, 2).empty());
  EXPECT_EQ(feed_windows(watch, {1, 1.5, 1.1}, 3), std::vector<int32_t>{1});
  EXPECT_NEAR(watch.scores()[1], 1 / 1.5, 1e-9);
  EXPECT_NEAR(watch.scores()[0], 1, 1e-9);
}

TEST(StragglerWatchTest, OneQuickWindowBeginsTheCountAnew) {
  StragglerWatch watch(2, 0.7);
  EXPECT_TRUE(feed_windows(watch, {1, 2}, 2).empty());
  EXPECT_TRUE(feed_windows(watch, {1, 1}, 1).empty());
  EXPECT_TRUE(feed_windows(watch, {1, 2}, 2).empty());
  EXPECT_EQ(feed_windows(watch, {1, 2}, 1), std::vector<int32_t>{1});
}

TEST(StragglerWatchTest, RunOfOneIsHeldAgainstItsOwnBest) {
  StragglerWatch watch(1, 0.7);
  EXPECT_TRUE(feed_windows(watch, {1}, 3).empty());
  EXPECT_EQ(feed_windows(watch, {2}, 3), std::vector<int32_t>{0});
  EXPECT_NEAR(watch.scores()[0], 0.5, 1e-9);
}

}  // namespace
}  // namespace binnacle::engine
