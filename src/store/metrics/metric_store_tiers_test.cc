// Downsampled tiers as the store makes them and answers from them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/metrics/store_test_run.h"

namespace binnacle::store::metrics {
namespace {

using testing::ElementsAre;

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kFine = 5 * kMinuteMs;
constexpr int64_t kFlushAll = 4'000'000'000'000;

StoreOptions with_tiers() {
  StoreOptions options;
  options.downsample_ms = {kFine};
  options.limits.late_limit_ms = 100 * kHourMs;
  options.limits.out_of_order_ms = 100 * kHourMs;
  return options;
}

class MetricStoreTiersTest : public testing::Test {
 protected:
  MetricStoreTiersTest() : run_(with_tiers()) {}
  void SetUp() override {
    ASSERT_TRUE(run_.open());
    // The beginning of a block's range, so that the samples lie in one.
    from_ms_ = run_.start_ms / (2 * kHourMs) * (2 * kHourMs);
  }
  void put_at(const model::Labels& labels, int64_t at, double value) {
    ASSERT_TRUE(put(*run_.store, labels, from_ms_ + at, value));
  }
  // Two windows: 1 2 3 4 5 and 6 7 8 9 10.
  void fill() {
    for (int i = 0; i < 10; ++i) {
      put_at(a_, i * kMinuteMs, i + 1);
      put_at(b_, i * kMinuteMs, 100);
    }
    ASSERT_TRUE(run_.store->flush(kFlushAll));
  }
  void pass(int64_t hours) {
    run_.clock.advance_ms(hours * kHourMs);
    run_.store->upkeep_once();
  }
  std::vector<std::string> answer(const std::string& aggregate, int64_t min, int64_t max,
                                  int64_t resolution_ms = kFine) {
    std::vector<std::string> out;
    const auto querier = run_.store->querier(from_ms_ + min, from_ms_ + max);
    model::SelectHints hints;
    hints.resolution_ms = resolution_ms;
    hints.aggregate = aggregate;
    const auto set = (*querier)->select({}, hints);
    if (!set) return {set.error().message};
    for (model::SeriesColumns series; (*set)->next(series);) {
      std::string line = series.labels.to_string();
      for (size_t i = 0; i < series.values.size(); ++i) {
        line += " " + std::to_string(static_cast<int64_t>(series.values[i])) + "@" +
                std::to_string((series.timestamps_ms[i] - from_ms_ + 1) / kMinuteMs);
      }
      out.push_back(line);
    }
    EXPECT_TRUE((*set)->status());
    return out;
  }
  size_t blocks() const { return run_.store->status().blocks; }

  StoreTestRun run_;
  int64_t from_ms_ = 0;
  const model::Labels a_ = {{"A", "1"}, {"__name__", "x"}};  // sorts before the aggregate's label
  const model::Labels b_ = {{"A", "1"}, {"B", "2"}, {"__name__", "x"}};
  static constexpr int64_t kAll = 2 * kHourMs - 1;
};

TEST_F(MetricStoreTiersTest, AreMadeOfOldBlocksAndAnswerWhoAllowsIt) {
  fill();
  EXPECT_EQ(blocks(), 1u);
  pass(9);
  EXPECT_EQ(blocks(), 2u);
  pass(0);
  EXPECT_EQ(blocks(), 2u) << "once is enough";
  EXPECT_THAT(answer("sum", 0, kAll),
              ElementsAre(R"(x{A="1", B="2"} 500@5 500@10)", R"(x{A="1"} 15@5 40@10)"));
  EXPECT_THAT(answer("max", 0, kAll),
              ElementsAre(R"(x{A="1", B="2"} 100@5 100@10)", R"(x{A="1"} 5@5 10@10)"));
  const auto raw = answer("", 0, kAll, 0);
  EXPECT_THAT(raw, testing::Contains(R"(x{A="1"} 1@0 2@1 3@2 4@3 5@4 6@5 7@6 8@7 9@8 10@9)"));
  EXPECT_EQ(answer("sum", 0, kAll, kFine - 1), raw) << "too coarse for who asks";
}

TEST_F(MetricStoreTiersTest, SurviveARestart) {
  fill();
  pass(9);
  const auto before = answer("sum", 0, kAll);
  run_.close();
  ASSERT_TRUE(run_.open());
  EXPECT_EQ(answer("sum", 0, kAll), before);
}

TEST_F(MetricStoreTiersTest, OfWindowsThatTheRangeCutsTheSamplesAreGiven) {
  fill();
  pass(9);
  EXPECT_THAT(answer("sum", 0, 6 * kMinuteMs), testing::Contains(R"(x{A="1"} 15@5 6@5 7@6)"));
  EXPECT_THAT(answer("sum", 3 * kMinuteMs, kAll), testing::Contains(R"(x{A="1"} 4@3 5@4 40@10)"));
}

TEST_F(MetricStoreTiersTest, RawSamplesElsewhere) {
  fill();
  pass(9);
  const int64_t later = run_.clock.wall_ms() - from_ms_;
  put_at(a_, later / kMinuteMs * kMinuteMs, 7);
  EXPECT_THAT(answer("sum", 0, later),
              testing::Contains(R"(x{A="1"} 15@5 40@10 7@)" + std::to_string(later / kMinuteMs)));
}

TEST_F(MetricStoreTiersTest, LateSamplesAreSeenAtOnceAndSummedUpLater) {
  fill();
  pass(9);
  put_at(a_, 90 * 1000, 1000);
  EXPECT_THAT(answer("sum", 0, kAll),
              testing::Contains(R"(x{A="1"} 1@0 2@1 1000@1 3@2 4@3 5@4 6@5 7@6 8@7 9@8 10@9)"));
  run_.store->upkeep_once();  // cuts, merges, sums up
  EXPECT_THAT(answer("sum", 0, kAll), testing::Contains(R"(x{A="1"} 1015@5 40@10)"));
  EXPECT_EQ(blocks(), 2u);
}

TEST_F(MetricStoreTiersTest, WhatIsDeletedIsInNoSum) {
  fill();
  pass(9);
  ASSERT_TRUE(run_.store->delete_series({}, from_ms_, from_ms_ + kMinuteMs));
  EXPECT_THAT(answer("sum", 0, kAll),
              testing::Contains(R"(x{A="1"} 3@2 4@3 5@4 6@5 7@6 8@7 9@8 10@9)"));
  run_.store->upkeep_once();
  EXPECT_THAT(answer("sum", 0, kAll), testing::Contains(R"(x{A="1"} 12@5 40@10)"));
}

TEST_F(MetricStoreTiersTest, NoneWithoutTheSetting) {
  run_.options_.downsample_ms = {};
  run_.store->set_options(run_.options_);
  fill();
  pass(9);
  EXPECT_EQ(blocks(), 1u);
}

}  // namespace
}  // namespace binnacle::store::metrics
