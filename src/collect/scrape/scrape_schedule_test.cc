#include "collect/scrape/scrape_schedule.h"

#include <gtest/gtest.h>

namespace binnacle::collect::scrape {
namespace {

constexpr int64_t kStartMs = 1'700'000'000'000;  // a multiple of 10 s

TEST(ScrapeSchedule, KeepsItsPlaceInTheInterval) {
  for (const int64_t passed : {0, 1, 3'999, 4'000, 4'001, 9'999}) {
    SimulatedClock clock(kStartMs * 1'000'000);
    clock.advance_ms(passed);
    const ScrapeSchedule schedule(10'000, 20'004'000, clock);
    clock.advance_ms(schedule.wait_ms());
    EXPECT_EQ(clock.wall_ms() % 10'000, 4'000) << passed;
  }
}

TEST(ScrapeSchedule, ALittleLateIsInTime) {
  SimulatedClock clock(kStartMs * 1'000'000);
  ScrapeSchedule schedule(10'000, 0, clock);
  EXPECT_EQ(schedule.wait_ms(), 0);
  EXPECT_EQ(schedule.begin(), kStartMs);
  EXPECT_EQ(schedule.next(), 0u);
  EXPECT_EQ(schedule.wait_ms(), 10'000);
  clock.advance_ms(10'002);
  EXPECT_EQ(schedule.begin(), kStartMs + 10'000);
  schedule.next();
  clock.advance_ms(10'003 - 2);
  EXPECT_EQ(schedule.begin(), kStartMs + 20'003);
}

TEST(ScrapeSchedule, WhatIsOverIsLeftOut) {
  SimulatedClock clock(kStartMs * 1'000'000);
  ScrapeSchedule schedule(10'000, 0, clock);
  schedule.begin();
  clock.advance_ms(35'000);
  EXPECT_EQ(schedule.next(), 2u);
  EXPECT_EQ(schedule.wait_ms(), 0);
  EXPECT_EQ(schedule.begin(), kStartMs + 35'000);
  schedule.next();
  EXPECT_EQ(schedule.wait_ms(), 5'000);
  clock.advance_ms(5'000);
  EXPECT_EQ(schedule.begin(), kStartMs + 40'000);
}

}  // namespace
}  // namespace binnacle::collect::scrape
