#include "watch/health/check_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"

namespace binnacle::watch::health {
namespace {

class CheckStateTest : public testing::Test {
 protected:
  std::optional<Transition> read(Health health, const std::string& message = "seen") {
    now_.wall_ms += 1000;
    now_.monotonic_ms += 1000;
    Reading reading;
    reading.health = health;
    reading.message = message;
    return step(state_, rules_, now_, &reading, around_);
  }
  std::optional<Transition> pass(int64_t ms) {
    now_.wall_ms += ms;
    now_.monotonic_ms += ms;
    return step(state_, rules_, now_, nullptr, around_);
  }

  CheckState state_;
  CheckRules rules_{.rise = 2, .fall = 3, .stale_after_ms = 30'000};
  Moment now_{1'700'000'000'000, 5'000};
  Surroundings around_;
};

TEST_F(CheckStateTest, TheFirstGoodReadingIsBelievedTheFirstBadOneIsNot) {
  CheckState fresh;
  EXPECT_EQ(read(Health::kFailed), std::nullopt);
  EXPECT_EQ(state_.health, Health::kUnknown);
  EXPECT_NE(state_.reason.find("1 of 3"), std::string::npos) << state_.reason;
  state_ = fresh;
  const auto risen = read(Health::kHealthy, "200 OK");
  ASSERT_TRUE(risen);
  EXPECT_EQ(risen->to, Health::kHealthy);
  EXPECT_EQ(risen->reason, "200 OK");
  EXPECT_EQ(state_.since_ms, now_.wall_ms);
}

TEST_F(CheckStateTest, FallsAfterSoManyInARowAndRisesAfterSoMany) {
  read(Health::kHealthy);
  EXPECT_FALSE(read(Health::kFailed));
  EXPECT_FALSE(read(Health::kFailed));
  EXPECT_FALSE(read(Health::kHealthy));  // begins anew
  EXPECT_FALSE(read(Health::kFailed));
  EXPECT_FALSE(read(Health::kFailed));
  const auto fallen = read(Health::kFailed, "refused");
  ASSERT_TRUE(fallen);
  EXPECT_EQ(fallen->from, Health::kHealthy);
  EXPECT_EQ(fallen->to, Health::kFailed);
  EXPECT_FALSE(read(Health::kHealthy));
  EXPECT_TRUE(read(Health::kHealthy));
  EXPECT_EQ(state_.health, Health::kHealthy);
}

TEST_F(CheckStateTest, ReadingsOfSeveralLevelsTakeTheLevelThatAllOfThemReach) {
  read(Health::kHealthy);
  read(Health::kFailed);
  read(Health::kDegraded);
  const auto fallen = read(Health::kCritical);
  ASSERT_TRUE(fallen);
  EXPECT_EQ(fallen->to, Health::kDegraded);
  read(Health::kCritical);
  ASSERT_TRUE(read(Health::kFailed));  // critical, critical, failed
  EXPECT_EQ(state_.health, Health::kCritical);
  read(Health::kDegraded);
  ASSERT_TRUE(read(Health::kHealthy));
  EXPECT_EQ(state_.health, Health::kDegraded);  // the best that both reach
}

TEST_F(CheckStateTest, SilenceIsUnknownAndReadingsBeginAnewAfterIt) {
  read(Health::kHealthy);
  EXPECT_FALSE(pass(30'000));
  const auto silent = pass(1'000);
  ASSERT_TRUE(silent);
  EXPECT_EQ(silent->to, Health::kUnknown);
  EXPECT_EQ(silent->reason, "no reading for 31s");
  EXPECT_FALSE(pass(60'000));
  EXPECT_EQ(state_.reason, "no reading for 1m31s");
  EXPECT_FALSE(read(Health::kFailed));
  EXPECT_TRUE(read(Health::kHealthy));
}

TEST_F(CheckStateTest, AClockThatJumpsDecidesNothing) {
  read(Health::kHealthy);
  now_.wall_ms += 3'600'000;
  EXPECT_FALSE(step(state_, rules_, now_, nullptr, around_));
  EXPECT_EQ(state_.health, Health::kHealthy);
}

TEST_F(CheckStateTest, WhatCannotBeFoundOutIsUnknownAfterAFewTimes) {
  read(Health::kHealthy);
  EXPECT_FALSE(read(Health::kUnknown));
  EXPECT_FALSE(read(Health::kUnknown));
  const auto unknown = read(Health::kUnknown, "no such series");
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->reason, "no such series");
  EXPECT_TRUE(read(Health::kHealthy));
}

TEST_F(CheckStateTest, UnderADeadNodeItIsUnknownAndNotASecondAlarm) {
  read(Health::kHealthy);
  around_.unknown_because = "node n1 is down";
  const auto blocked = pass(0);
  ASSERT_TRUE(blocked);
  EXPECT_EQ(blocked->to, Health::kUnknown);
  EXPECT_EQ(blocked->reason, "node n1 is down");
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(read(Health::kFailed));
  EXPECT_EQ(state_.last->health, Health::kFailed);  // shown all the same
  around_.unknown_because.clear();
  EXPECT_FALSE(pass(0));
  EXPECT_FALSE(read(Health::kFailed));  // what it read meanwhile does not count
  EXPECT_FALSE(read(Health::kFailed));
  EXPECT_TRUE(read(Health::kFailed));
}

TEST_F(CheckStateTest, HoldsItsStepToTheWorseWhileItsDependencyIsInDoubt) {
  read(Health::kHealthy);
  around_.hold_worse = true;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(read(Health::kFailed));
  around_.hold_worse = false;
  EXPECT_TRUE(read(Health::kFailed));
}

TEST_F(CheckStateTest, TellsThatItIsAboutToFail) {
  EXPECT_FALSE(about_to_fail(state_));
  read(Health::kHealthy);
  EXPECT_FALSE(about_to_fail(state_));
  read(Health::kCritical);
  EXPECT_TRUE(about_to_fail(state_));
  read(Health::kCritical);
  read(Health::kCritical);
  EXPECT_FALSE(about_to_fail(state_));
}

TEST(CheckRulesTest, PushedChecksLiveByTheirTtlOthersByTheirInterval) {
  CheckSpec spec;
  spec.interval_ms = 10'000;
  spec.timeout_ms = 5'000;
  EXPECT_EQ(rules_of(spec).stale_after_ms, 30'000);
  spec.timeout_ms = 60'000;
  EXPECT_EQ(rules_of(spec).stale_after_ms, 130'000);
  spec.kind = "pushed";
  EXPECT_EQ(rules_of(spec).stale_after_ms, 0);
  spec.ttl_ms = 7'000;
  EXPECT_EQ(rules_of(spec).stale_after_ms, 7'000);
}

// The plain meaning, from the whole list of readings: the twin that the counts are held against.
Health slow_judge(const std::vector<Health>& readings, int rise, int fall) {
  Health health = Health::kHealthy;
  size_t from = 0;  // of the streaks: never reset but by a reading that breaks them
  for (size_t end = 1; end <= readings.size(); ++end) {
    const auto all = [&](int count, auto fits) {
      return end - from >= static_cast<size_t>(count) &&
             std::all_of(readings.begin() + static_cast<std::ptrdiff_t>(end) - count,
                         readings.begin() + static_cast<std::ptrdiff_t>(end), fits);
    };
    Health next = health;
    for (int to = static_cast<int>(Health::kFailed); to > static_cast<int>(health); --to) {
      if (all(fall, [&](Health h) { return static_cast<int>(h) >= to; })) {
        next = static_cast<Health>(to);
        break;
      }
    }
    for (int to = 0; next == health && to < static_cast<int>(health); ++to) {
      if (all(rise, [&](Health h) { return static_cast<int>(h) <= to; }))
        next = static_cast<Health>(to);
    }
    health = next;
  }
  return health;
}

TEST(CheckStateRandom, AgreesWithThePlainMeaning) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SeededRandom random(seed);
    const CheckRules rules{.rise = 1 + static_cast<int>(random.below(4)),
                           .fall = 1 + static_cast<int>(random.below(4))};
    CheckState state;
    std::vector<Health> readings;
    Moment now{1, 1};
    for (int i = 0; i < 100; ++i) {
      Reading reading;
      // The first is good, so that both begin at healthy.
      reading.health = i == 0 ? Health::kHealthy : static_cast<Health>(random.below(4));
      readings.push_back(reading.health);
      now.monotonic_ms += 10;
      step(state, rules, now, &reading, {});
      ASSERT_EQ(state.health, slow_judge(readings, rules.rise, rules.fall))
          << "seed " << seed << " reading " << i;
    }
  }
}

}  // namespace
}  // namespace binnacle::watch::health
