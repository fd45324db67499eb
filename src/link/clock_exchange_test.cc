#include "link/clock_exchange.h"

#include <gtest/gtest.h>
#include <limits>

namespace binnacle::link {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000'000;

TEST(ClockExchange, TellsOffsetAndRoundTrip) {
  // The node is 100 ahead; 7 there, 5 at the server, 7 back.
  const auto read = read_clocks({kNow + 100, kNow + 7, kNow + 12, kNow + 119});
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (ClockReading{100, 14}));
}

TEST(ClockExchange, ANodeBehindHasANegativeOffset) {
  const auto read = read_clocks({kNow - 1000, kNow + 3, kNow + 3, kNow - 994});
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (ClockReading{-1000, 6}));
}

TEST(ClockExchange, AClockThatWasSetInBetweenSaysNothing) {
  EXPECT_FALSE(read_clocks({kNow, kNow, kNow + 10, kNow + 5}));
}

TEST(ClockExchange, HostileTimesAreNoTimes) {
  const int64_t least = std::numeric_limits<int64_t>::min();
  const int64_t most = std::numeric_limits<int64_t>::max();
  for (const int64_t time : {least, int64_t{-1}, int64_t{0}, most}) {
    EXPECT_FALSE(read_clocks({time, kNow, kNow, kNow}));
    EXPECT_FALSE(read_clocks({kNow, kNow, kNow, time}));
  }
}

}  // namespace
}  // namespace binnacle::link
