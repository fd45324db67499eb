#include "collect/host/tick_schedule.h"

#include <gtest/gtest.h>

namespace binnacle::collect::host {
namespace {

TEST(TickSchedule, LatenessOfOneTickDoesNotMoveTheNext) {
  TickSchedule schedule(1000, 50);
  EXPECT_EQ(schedule.next_ns(), 50);
  EXPECT_EQ(schedule.advance(980), 0);  // worked for 930 of 1000
  EXPECT_EQ(schedule.next_ns(), 1050);
  EXPECT_EQ(schedule.advance(1060), 0);
  EXPECT_EQ(schedule.next_ns(), 2050);
}

TEST(TickSchedule, PassesOverTicksThatCannotBeReachedAndSaysHowMany) {
  TickSchedule schedule(1000, 0);
  EXPECT_EQ(schedule.advance(3500), 3);  // 1000, 2000 and 3000 are gone
  EXPECT_EQ(schedule.next_ns(), 4000);
  EXPECT_EQ(schedule.advance(5000), 1);  // exactly at a tick: that one is gone too
  EXPECT_EQ(schedule.next_ns(), 6000);
}

TEST(StampAligner, SwallowsJitterAndFollowsRealSteps) {
  StampAligner stamps(1000);
  EXPECT_EQ(stamps.align(10'003), 10'003);
  EXPECT_EQ(stamps.align(11'004), 11'003);
  EXPECT_EQ(stamps.align(12'001), 12'003);
  EXPECT_EQ(stamps.align(13'006), 13'006);  // 3 ms off: a real step
  EXPECT_EQ(stamps.align(14'006), 14'006);
  EXPECT_EQ(stamps.align(9'000), 9'000);  // the clock was set back
  EXPECT_EQ(stamps.align(10'001), 10'000);
}

}  // namespace
}  // namespace binnacle::collect::host
