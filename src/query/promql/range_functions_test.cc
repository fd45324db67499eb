#include "query/promql/range_functions.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "base/random.h"
#include "query/promql/prefix_sums.h"
#include "query/promql/range_makers.h"
#include "query/promql/range_test_call.h"
#include "query/promql/sorted_window.h"

namespace binnacle::query::promql {
namespace {

using testing::ElementsAre;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

// `values` every 10 s from 0 on, one step.
RangeCase every_10s(std::string function, std::vector<double> values, int64_t at_ms,
                    int64_t range_ms) {
  RangeCase c;
  c.function = std::move(function);
  for (size_t i = 0; i < values.size(); ++i) c.times_ms.push_back(static_cast<int64_t>(i) * 10'000);
  c.values = std::move(values);
  c.steps = {at_ms, at_ms, 0};
  c.range_ms = range_ms;
  return c;
}
double value(const RangeCase& c) { return run(c).values->at(0); }

TEST(Windows, AreOpenOnTheLeft) {
  Windows windows{{20'000, 40'000, 10'000}, 20'000, 0, {}, {}};
  windows.find(std::vector<int64_t>{0, 10'000, 20'000, 30'000});
  EXPECT_THAT(windows.first, ElementsAre(1, 2, 3));
  EXPECT_THAT(windows.last, ElementsAre(3, 4, 4));
  windows.offset_ms = -10'000;
  windows.find(std::vector<int64_t>{0, 10'000, 20'000, 30'000});
  EXPECT_THAT(windows.last, ElementsAre(4, 4, 4));
  windows.find({});
  EXPECT_THAT(windows.last, ElementsAre(0, 0, 0));
}

TEST(Windows, AreThoseAScanFinds) {
  SeededRandom random(3);
  for (int round = 0; round < 500; ++round) {
    std::vector<int64_t> times;
    int64_t time = static_cast<int64_t>(random.below(100));
    const uint64_t jitter = round % 2 == 0 ? 1 : 30;
    for (uint64_t n = random.below(200); n > 0; --n)
      times.push_back(time += 10 + static_cast<int64_t>(random.below(jitter)) *
                                       (random.below(10) == 0 ? 40 : 1));
    const int64_t start = static_cast<int64_t>(random.below(2000)) - 500;
    Windows windows{{start, start + static_cast<int64_t>(random.below(3000)),
                     1 + static_cast<int64_t>(random.below(60))},
                    1 + static_cast<int64_t>(random.below(300)),
                    static_cast<int64_t>(random.below(50)) - 25,
                    {},
                    {}};
    windows.find(times);
    ASSERT_EQ(windows.last.size(), windows.steps.count());
    for (size_t i = 0; i < windows.steps.count(); ++i) {
      const auto until = [&](int64_t ms) {
        return std::ranges::count_if(times, [ms](int64_t t) { return t <= ms; });
      };
      ASSERT_EQ(windows.first[i], until(windows.start_ms(i)));
      ASSERT_EQ(windows.last[i], until(windows.end_ms(i)));
    }
  }
}

TEST(Rate, IsExtrapolatedToTheEndsOfTheWindow) {
  // 10, 20, 30, 40 at 10 s to 40 s: a sample stands at the end, the start is 10 s before the first.
  EXPECT_DOUBLE_EQ(value(every_10s("increase", {0, 10, 20, 30, 40}, 40'000, 40'000)), 40);
  EXPECT_DOUBLE_EQ(value(every_10s("rate", {0, 10, 20, 30, 40}, 40'000, 40'000)), 1);
  // The series began half an interval before its first sample, or so.
  EXPECT_DOUBLE_EQ(value(every_10s("delta", {50, 60, 70}, 20'000, 100'000)), 25);
  EXPECT_DOUBLE_EQ(value(every_10s("increase", {50, 60, 70}, 20'000, 100'000)), 25);
}

TEST(Rate, FollowsACounterBackToZeroAndNoFurther) {
  EXPECT_DOUBLE_EQ(value(every_10s("increase", {2, 12, 22}, 20'000, 29'000)), 22);
  EXPECT_DOUBLE_EQ(value(every_10s("delta", {2, 12, 22}, 20'000, 29'000)), 29);
}

TEST(Rate, AResetLosesNothing) {
  EXPECT_DOUBLE_EQ(value(every_10s("increase", {100, 110, 120, 5, 15}, 40'000, 40'000)),
                   25.0 / 3 * 4);
  EXPECT_DOUBLE_EQ(value(every_10s("irate", {100, 110, 120, 5}, 30'000, 40'000)), 0.5);
  EXPECT_DOUBLE_EQ(value(every_10s("idelta", {100, 110, 120, 5}, 30'000, 40'000)), -115);
}

TEST(Rate, NeedsTwoSamples) {
  for (const char* name :
       {"rate", "increase", "delta", "irate", "idelta", "deriv", "predict_linear"}) {
    RangeCase c = every_10s(name, {1, 2, 3}, 20'000, 10'000);
    if (c.function == "predict_linear") c.scalars = {1};
    EXPECT_TRUE(is_absent(value(c))) << name;
  }
}

TEST(Rate, AnchoredBeginsAtTheSampleBefore) {
  RangeCase c = every_10s("increase", {0, 10, 20, 3, 13}, 40'000, 15'000);
  c.anchored = true;
  EXPECT_DOUBLE_EQ(value(c), 13);  // 20 at 20 s, 3, 13
  c.function = "rate";
  EXPECT_DOUBLE_EQ(value(c), 13.0 / 15);
  c.function = "resets";
  EXPECT_DOUBLE_EQ(value(c), 1);
  c.lookback_ms = 5'000;  // the sample at 20 s is just out of reach
  EXPECT_DOUBLE_EQ(value(c), 0);
}

TEST(Rate, SmoothedInterpolatesAtBothEnds) {
  RangeCase c = every_10s("delta", {0, 10, 20, 40}, 25'000, 20'000);
  c.smoothed = true;
  EXPECT_DOUBLE_EQ(value(c), 25);  // 5 at 5 s, 30 at 25 s
  c.function = "increase";
  c.values = {100, 10, 20, 40};
  EXPECT_DOUBLE_EQ(value(c), 25);  // the counter began again: 5 at 5 s
}

TEST(RangeSums, KeepSmallValuesBesideLargeOnes) {
  EXPECT_EQ(value(every_10s("sum_over_time", {1, 1e100, 1, -1e100}, 60'000, 120'000)), 2);
  EXPECT_EQ(value(every_10s("avg_over_time", {1, 1e100, 1, -1e100}, 60'000, 120'000)), 0.5);
  EXPECT_EQ(value(every_10s("avg_over_time", {1.7e308, 1.7e308}, 60'000, 120'000)), 1.7e308);
  EXPECT_EQ(value(every_10s("sum_over_time", {1.7e308, 1.7e308}, 60'000, 120'000)), kInf);
  EXPECT_TRUE(std::isnan(value(every_10s("sum_over_time", {kInf, -kInf}, 60'000, 120'000))));
}

TEST(PrefixSums, SayWhereTheyAreNotCertain) {
  PrefixSums sums;
  std::vector<double> values(1000, 0.1);
  values[500] = kInf;
  sums.assign(values);
  DoubleDouble sum;
  ASSERT_TRUE(sums.sum(100, 130, sum));
  EXPECT_EQ(sum.value(), 3.0);
  EXPECT_FALSE(sums.sum(490, 510, sum));
  ASSERT_TRUE(sums.sum(501, 511, sum));
  EXPECT_EQ(sum.value(), 1.0);
  values[500] = 1e100;
  sums.assign(values);
  EXPECT_TRUE(sums.sum(0, 500, sum));
  EXPECT_FALSE(sums.sum(600, 610, sum));
}

TEST(RangeRegression, IsTheSameFarFromTheEpoch) {
  for (const int64_t range_ms : {100'000, 3'600'000}) {
    std::vector<double> answers[2];
    for (const int64_t base_ms : {0L, 1'700'000'000'000L}) {
      RangeCase c = every_10s("predict_linear", {}, 0, range_ms);
      for (int64_t i = 0; i < 800; ++i) {
        c.times_ms.push_back(base_ms + i * 10'000);
        c.values.push_back(static_cast<double>(3 * i));
      }
      c.steps = {base_ms + 4'000'000, base_ms + 7'000'000, 10'000};
      c.scalars = {600};
      answers[base_ms == 0 ? 0 : 1] = *run(c).values;
    }
    for (size_t i = 0; i < answers[0].size(); ++i) {
      ASSERT_NEAR(answers[0][i], answers[1][i], 1e-9);
      ASSERT_NEAR(answers[0][i], 3 * (460 + static_cast<double>(i)), 1e-6);
    }
  }
}

TEST(RangeExtremes, AreNaNOnlyAmongNaNs) {
  EXPECT_EQ(value(every_10s("max_over_time", {kNaN, 3, kNaN, 1}, 60'000, 120'000)), 3);
  EXPECT_TRUE(std::isnan(value(every_10s("min_over_time", {kNaN, kNaN}, 60'000, 120'000))));
  EXPECT_EQ(value(every_10s("ts_of_max_over_time", {3, 1, 3, kNaN}, 60'000, 120'000)), 20);
  EXPECT_EQ(value(every_10s("ts_of_min_over_time", {kNaN, kNaN}, 60'000, 120'000)), 10);
}

TEST(RangeQuantile, MadIsTheMedianDistanceFromTheMedian) {
  EXPECT_EQ(value(every_10s("mad_over_time", {4, 6, 2, 1, 999, 1, 2}, 70'000, 80'000)), 1);
  EXPECT_EQ(value(every_10s("mad_over_time", {5}, 0, 10'000)), 0);
}

TEST(RangeQuantile, IsThatOfTheSortedWindowHoweverWindowsLie) {
  std::vector<double> values;
  for (size_t i = 0; i < 120; ++i) values.push_back(static_cast<double>(i * i * 31 % 101) - 40);
  values[60] = kInf;
  values[61] = -kInf;
  for (const double q : {0.0, 0.02, 0.1, 0.5, 0.95, 0.99, 1.0}) {
    for (const int64_t samples : {1, 3, 20, 64, 70}) {
      for (const int64_t step : {1, 2, 4, 25}) {
        RangeCase c = every_10s("quantile_over_time", values, 0, samples * 10'000);
        c.scalars = {q};
        c.steps = {0, 1'190'000, step * 10'000};
        const RangeAnswer answer = run(c);
        for (size_t i = 0; i < c.steps.count(); ++i) {
          const auto last = static_cast<ptrdiff_t>(c.steps.at(i) / 10'000) + 1;
          const auto first = std::max<ptrdiff_t>(0, last - samples);
          std::vector<double> sorted(values.begin() + first, values.begin() + last);
          std::ranges::sort(sorted);
          const double wanted =
              quantile_of(q, sorted.size(), [&](size_t rank) { return sorted[rank]; });
          const double got = answer.values->at(i);
          ASSERT_TRUE(got == wanted || (std::isnan(got) && std::isnan(wanted)))
              << q << " of " << samples << " every " << step << ", step " << i;
        }
      }
    }
  }
}

TEST(RangeQuantile, WarnsOnceOfAQuantileThatIsNone) {
  RangeCase c = every_10s("quantile_over_time", {1, 2, 3}, 0, 20'000);
  c.steps = {0, 20'000, 10'000};
  c.scalars = {-0.1};
  const RangeAnswer answer = run(c);
  EXPECT_THAT(*answer.values, ElementsAre(-kInf, -kInf, -kInf));
  EXPECT_THAT(
      answer.annotations.warnings(),
      ElementsAre("PromQL warning: quantile value should be between 0 and 1, got -0.1 (1:4)"));
}

TEST(RangeFunctions, TellThatAMetricMightNotBeACounter) {
  RangeCase c = every_10s("rate", {1, 2, 3}, 20'000, 30'000);
  EXPECT_TRUE(run(c).annotations.empty());
  c.labels = {{"__name__", "requests"}};
  EXPECT_THAT(run(c).annotations.infos(),
              ElementsAre("PromQL info: metric might not be a counter, name does not end in "
                          "_total/_sum/_count/_bucket: \"requests\" (1:6)"));
  c.anchored = true;
  EXPECT_EQ(run(c).annotations.infos().size(), 1);
  c.function = "delta";
  EXPECT_TRUE(run(c).annotations.empty());
  c.function = "increase";
  c.range_ms = 1;  // nothing comes out, nothing is told
  c.anchored = false;
  EXPECT_TRUE(run(c).annotations.empty());
}

TEST(RangeFunctions, ASubqueryHasItsPlaceAtTheStart) {
  FunctionSignature signature;
  signature.name = "rate";
  EXPECT_EQ(argument_position(*call_of(signature, 0), 0).start, 5);
  EXPECT_EQ(argument_position(*call_of(signature, 0, /*subquery=*/true), 0).start, 0);
}

TEST(RangeFunctions, RefuseWhatDoesNotFit) {
  RangeCase c = every_10s("sum_over_time", {1}, 0, 10'000);
  c.anchored = true;
  EXPECT_EQ(run(c).values.error().message,
            "anchored modifier can only be used with: changes, delta, increase, rate, resets - not "
            "with sum_over_time");
  c.anchored = false;
  c.smoothed = true;
  c.function = "changes";
  EXPECT_EQ(run(c).values.error().message,
            "smoothed modifier can only be used with: delta, increase, rate - not with changes");
  c.smoothed = false;
  c.function = "double_exponential_smoothing";
  c.scalars = {0, 0.5};
  EXPECT_EQ(run(c).values.error().message,
            "invalid smoothing factor. Expected: 0 < sf < 1, got: 0.000000");
  c.scalars = {0.5, kInf};
  EXPECT_EQ(run(c).values.error().message, "invalid trend factor. Expected: 0 < tf < 1, got: +Inf");
  c.scalars = {0.5, kNaN};
  EXPECT_TRUE(run(c).values);
}

TEST(RangeFunctions, OnlyFirstAndLastKeepTheName) {
  FunctionSignature signature;
  Annotations annotations("");
  for (const auto& [name, drops] : {std::pair{"first_over_time", false},
                                    {"last_over_time", false},
                                    {"max_over_time", true},
                                    {"ts_of_last_over_time", true}}) {
    signature.name = name;
    const auto call = call_of(signature, 0);
    const auto function = make_range_function({*call, {}, 0, false, false, annotations});
    ASSERT_TRUE(function);
    EXPECT_EQ((*function)->drops_name(), drops) << name;
  }
}

}  // namespace
}  // namespace binnacle::query::promql
