#include "query/promql/histogram_functions.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include <fmt/format.h>

#include "query/promql/bucket_quantile.h"
#include "query/promql/function_fixture.h"

namespace binnacle::query::promql {
namespace {

const double kNaN = std::numeric_limits<double>::quiet_NaN();

GivenRow bucket(std::string_view le, std::vector<double> values, std::string_view name = "h",
                std::string_view job = "") {
  return {{{"__name__", name}, {"le", le}, {"job", job}}, std::move(values)};
}

TEST(HistogramQuantile, GroupsBucketsByTheirOtherLabels) {
  EXPECT_EQ(FunctionCall("histogram_quantile", 2)
                .scalar(0.5)
                .vector({bucket("+Inf", {4, 8}, "h", "a"), bucket("10", {2, 2}, "h", "a"),
                         bucket("1", {1, 1}, "h", "b"), bucket("2", {1, 7}, "h", "a"),
                         bucket("Inf", {4, 1}, "h", "b"), bucket("1", {2, 2}, "g", "b"),
                         bucket("+inf", {2, 2}, "g", "b")})
                .rows(),
            "h{job=\"a\"} drop 10 1.1428571428571428\n"
            "h{job=\"b\"} drop 1 0.5\n"
            "g{job=\"b\"} drop 0.5 0.5\n");
}

TEST(HistogramQuantile, BucketsMayBeAbsentAtSomeSteps) {
  FunctionCall call("histogram_quantile", 5);
  EXPECT_EQ(call.scalars({0.5, 0.5, 0.5, 2, 0.5})
                .vector({bucket("1", {1, kNone, 1, kNone, kNone}), bucket("2", {2, 2, 2, 2, kNone}),
                         bucket("Inf", {4, 4, kNone, 4, kNone})})
                .rows(),
            "h drop 2 2 NaN +Inf _\n");
  EXPECT_EQ(call.warnings(),
            "PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)\n");
  EXPECT_EQ(call.infos(), "");
}

TEST(HistogramQuantile, TheSameBoundWrittenTwiceAddsUp) {
  EXPECT_EQ(
      FunctionCall("histogram_quantile", 1)
          .scalar(0.5)
          .vector({bucket("1", {1}), bucket("1.0", {1}), bucket("+Inf", {8}), bucket("1e0", {2})})
          .rows(),
      "h drop 1\n");
}

TEST(HistogramQuantile, ABadBoundIsWarnedOfAndLeftOut) {
  FunctionCall call("histogram_quantile", 2);
  EXPECT_EQ(call.scalar(0.5)
                .vector({bucket("1", {1, 1}), bucket("", {9, 9}), bucket("", {9, 9}, ""),
                         bucket("a\"b", {kNone, 9}), bucket("silent", {kNone, kNone}),
                         bucket("1e999", {9, 9}), bucket(" 1", {9, 9}), bucket("+Inf", {2, 2}),
                         bucket("", {9, 9})})
                .rows(),
            "h drop 1 1\n");
  const std::string text =
      "PromQL warning: bucket label \"le\" is missing or has a malformed value of ";
  EXPECT_EQ(call.warnings(), text + "\"\" for metric name \"h\" (1:20)\n" + text + "\"\" (1:20)\n" +
                                 text + "\"a\\\"b\" for metric name \"h\" (1:20)\n" + text +
                                 "\"1e999\" for metric name \"h\" (1:20)\n" + text +
                                 "\" 1\" for metric name \"h\" (1:20)\n");
}

TEST(HistogramQuantile, QuantilesAreCheckedWithoutRowsToo) {
  FunctionCall call("histogram_quantile", 3);
  EXPECT_EQ(call.scalars({kNaN, kNaN, -1}).vector({}).rows(), "");
  EXPECT_EQ(call.warnings(),
            "PromQL warning: quantile value should be between 0 and 1, got NaN (1:10)\n"
            "PromQL warning: quantile value should be between 0 and 1, got -1 (1:10)\n");
}

constexpr std::string_view kForced =
    "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
    "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";

TEST(HistogramQuantile, ForcedCountsAreToldOnceForAName) {
  FunctionCall call("histogram_quantile", 3, 1'735'084'800'999);
  EXPECT_EQ(call.scalar(0.5)
                .vector({bucket("1", {2, 3, 1}), bucket("2.5", {1, 3, 2}), bucket("5", {2, 2.5, 2}),
                         bucket("+Inf", {3, 4, 3}), bucket("1", {3, 3, 3}, "h", "b"),
                         bucket("10", {3, 3, 2}, "h", "b"), bucket("+Inf", {4, 4, 4}, "h", "b")})
                .rows(),
            "h drop 0.75 0.6666666666666666 1.75\n"
            "h{job=\"b\"} drop 0.6666666666666666 0.6666666666666666 0.6666666666666666\n");
  EXPECT_EQ(call.infos(), std::string(kForced) +
                              " for metric name \"h\", from buckets 2.5 to 10, with a max diff of "
                              "1, over 3 samples from 2024-12-25T00:00:00Z to "
                              "2024-12-25T00:02:00Z (1:20)\n");
}

TEST(HistogramQuantiles, ARowForEachQuantile) {
  FunctionCall call("histogram_quantiles", 2);
  EXPECT_EQ(call.vector({bucket("1", {2, 1}), bucket("2", {1, 2}), bucket("+Inf", {2, 2})})
                .text("q")
                .scalar(0)
                .scalar(0.5)
                .scalars({1, 0.25})
                .scalar(-0.1)
                .scalar(kNaN)
                .rows(),
            "h{q=\"0.0\"} drop 0 0\nh{q=\"0.5\"} drop 0.5 1\nh{q=\"1.0\"} drop 1 _\n"
            "h{q=\"0.25\"} drop _ 0.5\nh{q=\"-0.1\"} drop -Inf -Inf\nh{q=\"NaN\"} drop NaN NaN\n");
  EXPECT_EQ(call.warnings(),
            "PromQL warning: quantile value should be between 0 and 1, got -0.1 (1:60)\n"
            "PromQL warning: quantile value should be between 0 and 1, got NaN (1:70)\n");
  EXPECT_EQ(call.infos(), std::string(kForced) +
                              " for metric name \"h\", from buckets 2 to 2, with a max diff of 1, "
                              "over 1 samples from 1970-01-01T00:00:00Z to 1970-01-01T00:00:00Z "
                              "(1:10)\n");
}

TEST(HistogramQuantiles, OneQuantileTwiceIsRefused) {
  const auto with = [](std::vector<double> second) {
    return FunctionCall("histogram_quantiles", 2)
        .vector({bucket("1", {1, 1}), bucket("+Inf", {2, 2})})
        .text("q")
        .scalars({0.5, 0})
        .scalars(std::move(second))
        .rows();
  };
  EXPECT_EQ(with({0, 0}), "vector cannot contain metrics with the same labelset");
  EXPECT_EQ(with({0, 0.5}), "h{q=\"0.5\"} drop 1 1\nh{q=\"0.0\"} drop 0 0\n");
}

TEST(HistogramFraction, OfClassicHistograms) {
  FunctionCall call("histogram_fraction", 3);
  EXPECT_EQ(call.scalars({0, 1, 2})
                .scalars({2, 3, 1})
                .vector({bucket("2", {2, 2, 2}), bucket("4", {3, 3, 1}), bucket("Inf", {4, 4, 4})})
                .rows(),
            "h drop 0.5 0.375 0\n");
  EXPECT_EQ(call.warnings() + call.infos(), "");
}

TEST(HistogramFunctions, PartsOfNativeHistogramsAreNoneOfFloats) {
  for (const char* name : {"histogram_count", "histogram_sum", "histogram_avg", "histogram_stddev",
                           "histogram_stdvar"}) {
    EXPECT_EQ(FunctionCall(name, 1).vector({{{{"a", "b"}}, {1}}}).rows(), "") << name;
  }
}

// Rows as the store gives them: bounds sorted as text, groups mixed up by the label before le.
TEST(HistogramQuantile, ManyGroupsAgreeWithOneAtATime) {
  constexpr size_t kSteps = 100;
  constexpr size_t kGroups = 120;
  constexpr size_t kBuckets = 20;
  std::vector<GivenRow> rows;
  std::vector<double> bounds;
  for (size_t b = 0; b < kBuckets; ++b) bounds.push_back(std::ldexp(0.001, static_cast<int>(b)));
  bounds.back() = std::numeric_limits<double>::infinity();
  for (size_t b = 0; b < kBuckets; ++b) {
    for (size_t g = 0; g < kGroups; ++g) {
      std::vector<double> values(kSteps);
      for (size_t i = 0; i < kSteps; ++i) {
        values[i] = static_cast<double>(b * (g + 1) + i % (b + 1));
        if ((i + b + g) % 37 == 0 && g % 2 == 0) values[i] = kNone;
      }
      rows.push_back(bucket(fmt::format("{}", bounds[b]), values, "h", fmt::format("{:03}", g)));
    }
  }
  std::string expected;
  for (size_t g = 0; g < kGroups; ++g) {
    expected += fmt::format("h{{job=\"{:03}\"}} drop", g);
    for (size_t i = 0; i < kSteps; ++i) {
      std::vector<double> there;
      std::vector<double> counts;
      for (size_t b = 0; b < kBuckets; ++b) {
        const double count = rows[b * kGroups + g].values[i];
        if (is_absent(count)) continue;
        there.push_back(bounds[b]);
        counts.push_back(count);
      }
      make_monotonic(there, counts);
      expected += " " + FunctionCall::number(bucket_quantile(0.99, there, counts));
    }
    expected += "\n";
  }
  EXPECT_EQ(FunctionCall("histogram_quantile", kSteps).scalar(0.99).vector(rows).rows(), expected);
}

}  // namespace
}  // namespace binnacle::query::promql
