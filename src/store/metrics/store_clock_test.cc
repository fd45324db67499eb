// A clock that jumps while samples come and blocks are cut, and samples far from now.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "store/metrics/store_test_run.h"

namespace binnacle::store::metrics {
namespace {

using model::Labels;
using testing::HasSubstr;

constexpr int64_t kFar = int64_t{1} << 60;
constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;

class StoreClockTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(run_.open()); }

  // A sample at the clock's time, counted.
  void put_now(const Labels& labels) {
    const Status taken = put(*run_.store, labels, run_.clock.wall_ms(), 1);
    ASSERT_TRUE(taken) << taken.error().message;
    ++taken_;
  }
  size_t samples() {
    size_t count = 0;
    const auto querier = *run_.store->querier(-kFar, kFar);
    const auto set = *querier->select({}, {});
    model::SeriesColumns columns;
    while (set->next(columns)) count += columns.values.size();
    EXPECT_TRUE(set->status());
    return count;
  }
  void jump(int64_t ms) {
    run_.clock.jump_wall_ms(ms);
    run_.store->upkeep_once();
  }

  StoreTestRun run_;
  const Labels a_ = {{"__name__", "up"}, {"job", "a"}};
  const Labels b_ = {{"__name__", "up"}, {"job", "b"}};
  size_t taken_ = 0;
};

TEST_F(StoreClockTest, AWeekForwardAndADayBackLosesNothing) {
  for (const int64_t ahead_ms : {int64_t{0}, 7 * kDayMs, -kDayMs, 2 * kHourMs, -7 * kDayMs}) {
    jump(ahead_ms);
    // A series of its own, as one that was ahead refuses what lies far behind it.
    const Labels fresh = {{"__name__", "up"}, {"job", std::to_string(ahead_ms)}};
    for (int i = 0; i < 100; ++i) {
      run_.clock.advance_ms(60'000);
      put_now(fresh);
      if (i % 10 == 9) run_.store->upkeep_once();
      if (i == 50) ASSERT_TRUE(run_.store->flush(run_.clock.wall_ms()));
    }
    EXPECT_EQ(samples(), taken_);
    run_.crash(Crash::kPowerCut);
    ASSERT_TRUE(run_.open());
    EXPECT_EQ(samples(), taken_);
  }
}

TEST_F(StoreClockTest, ASeriesThatWasAheadRefusesWithAReasonUntilTheClockIsThereAgain) {
  jump(7 * kDayMs);
  put_now(a_);
  jump(-7 * kDayMs);
  const Status refused = put(*run_.store, a_, run_.clock.wall_ms(), 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kOutOfRange);
  EXPECT_THAT(refused.error().message, HasSubstr("storage.out_of_order_window"));
  put_now(b_);
  run_.clock.advance_ms(7 * kDayMs);
  run_.clock.advance_ms(1);
  put_now(a_);
  EXPECT_EQ(samples(), taken_);
}

TEST_F(StoreClockTest, TimesFarFromNowAreRefusedWithTheirSetting) {
  using Limits = std::numeric_limits<int64_t>;
  const int64_t now_ms = run_.clock.wall_ms();
  put_now(a_);
  for (const int64_t at_ms : {Limits::max(), Limits::max() - 1, now_ms + 700'000, now_ms * 1000}) {
    const Status refused = put(*run_.store, a_, at_ms, 1);
    ASSERT_FALSE(refused) << at_ms;
    EXPECT_EQ(refused.error().code, Code::kOutOfRange);
    EXPECT_THAT(refused.error().message, HasSubstr("storage.max_ahead"));
  }
  for (const int64_t at_ms : {Limits::min(), Limits::min() + 1, int64_t{0}, now_ms - 2 * kDayMs}) {
    const Status refused = put(*run_.store, a_, at_ms, 1);
    ASSERT_FALSE(refused) << at_ms;
    EXPECT_EQ(refused.error().code, Code::kOutOfRange);
    EXPECT_THAT(refused.error().message, HasSubstr("storage.late_limit"));
  }
  ASSERT_TRUE(run_.store->flush(Limits::max()));
  EXPECT_TRUE(run_.store->flush(Limits::min()));
  EXPECT_EQ(samples(), taken_);
}

}  // namespace
}  // namespace binnacle::store::metrics
