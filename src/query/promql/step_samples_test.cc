#include "query/promql/step_samples.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "model/sample.h"
#include "query/promql/engine.h"
#include "store/metrics/linear_store.h"

namespace binnacle::query::promql {
namespace {

using Counts = std::vector<uint64_t>;

class StepSamplesTest : public testing::Test {
 protected:
  // Two series of m with a sample every 10 s up to 100 s, one of which ends at 60 s.
  void SetUp() override {
    const auto appender = store_.appender();
    for (int64_t at_ms = 10'000; at_ms <= 100'000; at_ms += 10'000) {
      const model::Labels whole{{"__name__", "m"}, {"a", "1"}};
      const model::Labels ended{{"__name__", "m"}, {"a", "2"}};
      ASSERT_TRUE(appender->append(model::kNoSeries, whole, {at_ms, 1}));
      if (at_ms > 60'000) continue;
      ASSERT_TRUE(appender->append(model::kNoSeries, ended,
                                   {at_ms, at_ms == 60'000 ? model::stale_nan() : 1.0}));
    }
    ASSERT_TRUE(appender->commit());
  }
  QueryAnswer answer(const std::string& text, const Steps& steps) {
    QueryLimits limits;
    limits.experimental = true;
    const auto got = evaluate(
        store_, {.text = text, .steps = steps, .instant = steps.step_ms == 0, .step_stats = true},
        limits, clock_);
    EXPECT_TRUE(got) << text << ": " << got.error().message;
    return *got;
  }
  Counts at(const std::string& text, int64_t at_ms) {
    return answer(text, {at_ms, at_ms, 0}).stats.samples_per_step;
  }
  Counts over(const std::string& text, int64_t start_ms, int64_t end_ms, int64_t step_ms) {
    return answer(text, {start_ms, end_ms, step_ms}).stats.samples_per_step;
  }

  const SimulatedClock clock_{0};
  store::metrics::LinearStore store_{
      clock_, {.late_limit_ms = int64_t{1} << 60, .max_ahead_ms = int64_t{1} << 60}};
};

TEST_F(StepSamplesTest, SelectorsCountASampleOfEachSeriesThatHasAValue) {
  EXPECT_EQ(at("m", 50'000), Counts{2});
  EXPECT_EQ(at("m", 60'000), Counts{1});
  EXPECT_EQ(over("m", 0, 60'000, 20'000), (Counts{0, 2, 2, 1}));
  EXPECT_EQ(over("m offset 20s", 0, 60'000, 20'000), (Counts{0, 0, 2, 2}));
  EXPECT_EQ(over("m @ 50", 0, 60'000, 20'000), (Counts{2, 2, 2, 2}));
  EXPECT_EQ(over("m smoothed", 0, 60'000, 20'000), (Counts{0, 2, 2, 2}));
  EXPECT_EQ(at("1 + time()", 50'000), Counts{0});
}

TEST_F(StepSamplesTest, RangesCountTheirWholeWindow) {
  EXPECT_EQ(at("m[30s]", 50'000), Counts{6});
  EXPECT_EQ(over("rate(m[30s])", 20'000, 80'000, 20'000), (Counts{4, 6, 5, 3}));
  EXPECT_EQ(over("increase(m[10s] anchored)", 20'000, 20'000, 20'000), Counts{4});
  EXPECT_EQ(over("sum_over_time(m[30s] @ 50)", 20'000, 60'000, 20'000), (Counts{6, 6, 6}));
}

TEST_F(StepSamplesTest, EachOccurrenceCountsWhateverIsEvaluatedOnce) {
  EXPECT_EQ(over("m + m", 20'000, 40'000, 20'000), (Counts{4, 4}));
  EXPECT_EQ(over("sum(rate(m[30s])) / sum(rate(m[30s]))", 40'000, 40'000, 20'000), Counts{12});
  EXPECT_EQ(over("topk(scalar(count(m)), -m)", 20'000, 20'000, 20'000), Counts{4});
}

TEST_F(StepSamplesTest, SubqueriesCountThePointsInTheirWindow) {
  // At 20, 30, 40 and 50 s, of two series.
  EXPECT_EQ(at("sum_over_time(m[40s:10s])", 50'000), Counts{8});
  EXPECT_EQ(over("sum_over_time(sum(m)[20s:10s])", 40'000, 80'000, 20'000), (Counts{2, 2, 2}));
  // By itself what its steps look at: three windows of two series.
  EXPECT_EQ(at("rate(m[20s])[30s:10s]", 50'000), Counts{12});
  EXPECT_EQ(over("max_over_time(vector(1)[30s:10s])", 40'000, 40'000, 10'000), Counts{3});
}

TEST_F(StepSamplesTest, AStepOfARangeQueryCountsAsAQueryOfItsOwn) {
  for (const char* text :
       {"m", "rate(m[25s])", "m > bool 0", "sum by (a) (m) * on (a) m offset 5s",
        "max_over_time(rate(m[20s])[40s:7s])", "absent(m{a=\"2\"})", "delta(m[20s] smoothed)",
        "quantile_over_time(scalar(m{a=\"1\"}), m[1m])"}) {
    const Counts all = over(text, 5'000, 110'000, 15'000);
    ASSERT_EQ(all.size(), 8u);
    for (size_t i = 0; i < all.size(); ++i) {
      const auto at_ms = 5'000 + 15'000 * static_cast<int64_t>(i);
      EXPECT_EQ(Counts{all[i]}, at(text, at_ms)) << text << " at " << at_ms;
    }
  }
}

TEST_F(StepSamplesTest, WhatWasReadForTheAnswerIsToldByItself) {
  const QueryAnswer with = answer("rate(m[30s])", {20'000, 80'000, 20'000});
  const auto without =
      evaluate(store_, {.text = "rate(m[30s])", .steps = {20'000, 80'000, 20'000}}, {}, clock_);
  EXPECT_EQ(with.stats.samples, without->stats.samples);
  EXPECT_TRUE(without->stats.samples_per_step.empty());
}

}  // namespace
}  // namespace binnacle::query::promql
