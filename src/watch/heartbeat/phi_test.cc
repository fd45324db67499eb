#include "watch/heartbeat/phi.h"

#include <gtest/gtest.h>

#include <cmath>

namespace binnacle::watch::heartbeat {
namespace {

constexpr int64_t kLongestMs = 600;

TEST(PhiTest, IsTheChanceOfALaterBeat) {
  EXPECT_NEAR(phi_of(0), std::log10(2.0), 1e-12);      // half of all come later
  EXPECT_NEAR(phi_of(1.2815515655), 1.0, 1e-9);        // one in ten
  EXPECT_NEAR(phi_of(4.7534243088), 6.0, 1e-9);        // one in a million
  EXPECT_NEAR(phi_of(29.999999), phi_of(30.0), 1e-3);  // both sides of the change of formula
  EXPECT_TRUE(std::isfinite(phi_of(1e6)));
}

TEST(PhiTest, GrowsAndCanBeTurnedRound) {
  double before = -1;
  for (double deviations = -5; deviations < 60; deviations += 0.25) {
    const double phi = phi_of(deviations);
    EXPECT_GT(phi, before);
    before = phi;
    if (deviations > -3) EXPECT_NEAR(deviations_of(phi), deviations, 1e-3);
  }
}

TEST(PhiTest, RegularBeatsAreAllowedTheLeastDeviation) {
  BeatIntervals intervals(100, 250);
  for (int i = 0; i < 200; ++i) intervals.add(250, kLongestMs);
  EXPECT_DOUBLE_EQ(intervals.mean_ms(), 250);
  EXPECT_DOUBLE_EQ(intervals.deviation_ms(), 0);
  const PhiOptions options;
  const int64_t silence = intervals.silence_ms(deviations_of(8), options);
  EXPECT_NEAR(static_cast<double>(silence), 250 + 50 + 5.61 * 50, 1);
  EXPECT_LT(intervals.phi(silence - 2, options), 8);
  EXPECT_GE(intervals.phi(silence, options), 8);
}

TEST(PhiTest, OldIntervalsLeaveTheWindowExactly) {
  BeatIntervals intervals(10, 250);
  for (int i = 0; i < 1'000; ++i) intervals.add(i * 7 % 400, kLongestMs);
  for (int i = 0; i < 10; ++i) intervals.add(100, kLongestMs);
  EXPECT_DOUBLE_EQ(intervals.mean_ms(), 100);
  EXPECT_DOUBLE_EQ(intervals.deviation_ms(), 0);
}

TEST(PhiTest, AStallHardlyChangesWhatIsExpected) {
  BeatIntervals intervals(200, 250);
  for (int i = 0; i < 200; ++i) intervals.add(250, kLongestMs);
  const PhiOptions options;
  const int64_t before = intervals.silence_ms(deviations_of(8), options);
  intervals.add(2'000, kLongestMs);
  EXPECT_LE(intervals.silence_ms(deviations_of(8), options), before + 5);
}

TEST(PhiTest, IrregularBeatsAreGivenMoreTime) {
  BeatIntervals regular(200, 250);
  BeatIntervals irregular(200, 250);
  for (int i = 0; i < 100; ++i) {
    regular.add(250, kLongestMs);
    irregular.add(i % 2 == 0 ? 100 : 400, kLongestMs);
  }
  EXPECT_GT(irregular.silence_ms(5, {}), regular.silence_ms(5, {}) + 300);
}

}  // namespace
}  // namespace binnacle::watch::heartbeat
