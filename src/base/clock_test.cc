#include "base/clock.h"

#include <gtest/gtest.h>

#include <ctime>

namespace binnacle {
namespace {

TEST(SimulatedClock, StandsStillUntilTold) {
  SimulatedClock clock(1'000'000'000);
  const int64_t monotonic = clock.monotonic_ms();
  EXPECT_EQ(clock.wall_ms(), 1000);
  EXPECT_EQ(clock.wall_ms(), 1000);
  clock.advance_ms(250);
  EXPECT_EQ(clock.wall_ms(), 1250);
  EXPECT_EQ(clock.monotonic_ms(), monotonic + 250);
}

TEST(SimulatedClock, AJumpOfTheWallLeavesMonotonicTimeAlone) {
  SimulatedClock clock(10'000'000'000);
  const int64_t monotonic = clock.monotonic_ns();
  clock.jump_wall_ms(-4000);
  EXPECT_EQ(clock.wall_ms(), 6000);
  EXPECT_EQ(clock.monotonic_ns(), monotonic);
}

TEST(SimulatedClockDeathTest, MonotonicTimeNeverGoesBack) {
  SimulatedClock clock;
  EXPECT_DEATH(clock.advance_ms(-1), "CHECK failed: ms >= 0");
}

TEST(SystemClock, AgreesWithTheSystem) {
  const SystemClock clock;
  const int64_t before = clock.monotonic_ns();
  EXPECT_NEAR(static_cast<double>(clock.wall_ms()) / 1000, static_cast<double>(std::time(nullptr)),
              2);
  EXPECT_GE(clock.monotonic_ns(), before);
}

TEST(FormatRfc3339, IsUtcWithMilliseconds) {
  EXPECT_EQ(format_rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(1'767'322'985'678), "2026-01-02T03:03:05.678Z");
  EXPECT_EQ(format_rfc3339(1'709'164'800'005), "2024-02-29T00:00:00.005Z");
  EXPECT_EQ(format_rfc3339(253'402'300'799'999), "9999-12-31T23:59:59.999Z");
}

TEST(FormatRfc3339, CountsBackBefore1970) {
  EXPECT_EQ(format_rfc3339(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339(-1000), "1969-12-31T23:59:59.000Z");
}

}  // namespace
}  // namespace binnacle
