#include "query/promql/aggregate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "base/random.h"
#include "query/promql/rows_testing.h"

namespace binnacle::query::promql {
namespace {

using testing::Evaluation;
using testing::row;
using testing::shown;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNone = absent_value();

struct Asked {
  AggregateOp op = AggregateOp::kSum;
  Grouping grouping = {};
  std::vector<double> scalar = {};
  std::string text = {};
};

Result<std::vector<OwnedRow>> rows_of(const Asked& asked, std::vector<OwnedRow> input,
                                      Evaluation& evaluation) {
  Aggregation expr;
  expr.op = asked.op;
  expr.grouping = asked.grouping;
  auto param = std::make_unique<NumberLiteral>();
  param->position = {5, 6};
  expr.param = std::move(param);
  AggregateParam value{asked.scalar, asked.text};
  if (value.scalar.size() == 1) value.scalar.resize(evaluation.steps(), value.scalar[0]);
  TRY_ASSIGN(auto rows, aggregate(expr, std::make_unique<OwnedRows>(std::move(input)),
                                  std::move(value), evaluation.context()));
  return testing::all_rows(*rows);
}

std::string run(const Asked& asked, const std::vector<OwnedRow>& input) {
  Evaluation evaluation(input.empty() ? 1 : input[0].values.size());
  const auto out = rows_of(asked, input, evaluation);
  std::string text = out ? shown(*out) : out.error().message;
  for (const auto& warning : evaluation.annotations().warnings()) text += warning + "\n";
  return text;
}

const std::vector<OwnedRow>& jobs() {
  static const std::vector<OwnedRow> rows{
      row({{"__name__", "m"}, {"i", "1"}, {"job", "a"}}, {1, 2, kNone}),
      row({{"__name__", "m"}, {"i", "2"}, {"job", "a"}}, {10, kNone, kNone}),
      row({{"__name__", "n"}, {"i", "1"}, {"job", "b"}}, {5, 6, 7}),
  };
  return rows;
}

TEST(Aggregate, GroupsByLabelsThatAreThere) {
  EXPECT_EQ(run({}, jobs()), "{} 16 8 7\n");
  EXPECT_EQ(run({.grouping = {{"job"}}}, jobs()), "{job=\"a\"} 11 2 _\n{job=\"b\"} 5 6 7\n");
  EXPECT_EQ(run({.grouping = {{"x", "job", "job"}}}, jobs()),
            "{job=\"a\"} 11 2 _\n{job=\"b\"} 5 6 7\n");
  EXPECT_EQ(run({.grouping = {{"__name__"}}}, jobs()), "m 11 2 _\nn 5 6 7\n");
  EXPECT_EQ(run({.grouping = {{"x"}}}, jobs()), "{} 16 8 7\n");
}

TEST(Aggregate, WithoutTakesTheNameAway) {
  EXPECT_EQ(run({.grouping = {{"job"}, true}}, jobs()), "{i=\"1\"} 6 8 7\n{i=\"2\"} 10 _ _\n");
  EXPECT_EQ(run({.grouping = {{}, true}}, jobs()),
            "{i=\"1\", job=\"a\"} 1 2 _\n{i=\"2\", job=\"a\"} 10 _ _\n{i=\"1\", job=\"b\"} 5 6 "
            "7\n");
}

TEST(Aggregate, CountsGroupsAndExtremes) {
  EXPECT_EQ(run({AggregateOp::kCount, {{"job"}}}, jobs()),
            "{job=\"a\"} 2 1 _\n{job=\"b\"} 1 1 1\n");
  EXPECT_EQ(run({AggregateOp::kGroup, {{"job"}}}, jobs()),
            "{job=\"a\"} 1 1 _\n{job=\"b\"} 1 1 1\n");
  EXPECT_EQ(run({AggregateOp::kMax}, jobs()), "{} 10 6 7\n");
  EXPECT_EQ(run({AggregateOp::kMin}, jobs()), "{} 1 2 7\n");
}

TEST(Aggregate, EmptyGroupsDoNotShow) {
  EXPECT_EQ(run({}, {row({{"a", "1"}}, {kNone, kNone})}), "");
  EXPECT_EQ(run({}, {}), "");
}

TEST(Aggregate, ExtremesPreferAnyNumberToNan) {
  EXPECT_EQ(run({AggregateOp::kMax}, {row({{"a", "1"}}, {kNan, kNan, -kInf, kNan}),
                                      row({{"a", "2"}}, {-kInf, kNan, kNan, kNone})}),
            "{} -Inf NaN -Inf NaN\n");
  EXPECT_EQ(
      run({AggregateOp::kMin}, {row({{"a", "1"}}, {kNan, kNone}), row({{"a", "2"}}, {kInf, kInf})}),
      "{} +Inf +Inf\n");
}

TEST(Aggregate, SumsAreCompensated) {
  EXPECT_EQ(run({}, {row({{"a", "1"}}, {1}), row({{"a", "2"}}, {1e100}), row({{"a", "3"}}, {1}),
                     row({{"a", "4"}}, {-1e100})}),
            "{} 2\n");
  EXPECT_EQ(run({}, {row({{"a", "1"}}, {1e100}), row({{"a", "2"}}, {1}),
                     row({{"a", "3"}}, {-1e100}), row({{"a", "4"}}, {0.25})}),
            "{} 1.25\n");
  EXPECT_EQ(run({}, {row({{"a", "1"}}, {kInf, kInf}), row({{"a", "2"}}, {1, -kInf}),
                     row({{"a", "3"}}, {1e308, 1})}),
            "{} +Inf NaN\n");
}

TEST(Aggregate, AveragesDoNotOverflow) {
  const double huge = std::numeric_limits<double>::max();
  const std::vector<OwnedRow> rows{row({{"a", "1"}}, {huge, 1, kInf, -huge, kNone}),
                                   row({{"a", "2"}}, {huge, 2, 1, -huge, kInf}),
                                   row({{"a", "3"}}, {huge, 6, 2, -huge, kNone})};
  EXPECT_EQ(run({AggregateOp::kAvg}, rows),
            "{} 1.7976931348623155e+308 3 +Inf -1.7976931348623155e+308 +Inf\n");
}

TEST(Aggregate, DeviationOfInfinityIsNan) {
  EXPECT_EQ(run({AggregateOp::kStdvar},
                {row({{"a", "1"}}, {1, kInf, 5}), row({{"a", "2"}}, {3, 1, kNone})}),
            "{} 1 NaN 0\n");
  EXPECT_EQ(run({AggregateOp::kStddev}, {row({{"a", "1"}}, {1}), row({{"a", "2"}}, {7})}),
            "{} 3\n");
}

TEST(Aggregate, ANameGoesIfARowAtTheLastStepDroppedIt) {
  auto early = row({{"__name__", "m"}, {"i", "1"}}, {1, kNone});
  early.drop_name = true;
  const auto late = row({{"__name__", "m"}, {"i", "2"}}, {1, 1});
  EXPECT_EQ(run({.grouping = {{"__name__"}}}, {early, late}), "m 2 1\n");
  early.values[1] = 1;
  EXPECT_EQ(run({.grouping = {{"__name__"}}}, {late, early}), "m(drop) 2 2\n");
}

TEST(Aggregate, Quantiles) {
  const std::vector<OwnedRow> rows{row({{"a", "1"}}, {1, kNan}), row({{"a", "2"}}, {4, 2}),
                                   row({{"a", "3"}}, {2, kNone})};
  EXPECT_EQ(run({AggregateOp::kQuantile, {}, {0.5}}, rows), "{} 2 NaN\n");
  EXPECT_EQ(run({AggregateOp::kQuantile, {}, {0.75}}, rows), "{} 3 NaN\n");
  EXPECT_EQ(run({AggregateOp::kQuantile, {}, {1}}, rows), "{} 4 2\n");
  EXPECT_EQ(run({AggregateOp::kQuantile, {}, {0, 1.5}}, rows),
            "{} 1 +Inf\nPromQL warning: quantile value should be between 0 and 1, got 1.5 (1:6)\n");
  EXPECT_EQ(run({AggregateOp::kQuantile, {}, {-2, kNan}}, rows),
            "{} -Inf NaN\nPromQL warning: quantile value should be between 0 and 1, got NaN "
            "(1:6)\n");
}

TEST(Aggregate, TopOfSeveralStepsAreRowsWithGaps) {
  EXPECT_EQ(run({AggregateOp::kTopk, {}, {1}}, jobs()),
            "m{i=\"2\", job=\"a\"} 10 _ _\nn{i=\"1\", job=\"b\"} _ 6 7\n");
  EXPECT_EQ(run({AggregateOp::kBottomk, {{"job"}}, {1}}, jobs()),
            "m{i=\"1\", job=\"a\"} 1 2 _\nn{i=\"1\", job=\"b\"} 5 6 7\n");
  EXPECT_EQ(run({AggregateOp::kTopk, {}, {2.9, 0.5, 1e18}}, jobs()),
            "m{i=\"2\", job=\"a\"} 10 _ _\nn{i=\"1\", job=\"b\"} 5 _ 7\n");
}

TEST(Aggregate, TopOfAnInstantComesByValue) {
  const std::vector<OwnedRow> rows{row({{"a", "1"}}, {1}), row({{"a", "2"}}, {kNan}),
                                   row({{"a", "3"}}, {7}), row({{"a", "4"}}, {5})};
  EXPECT_EQ(run({AggregateOp::kTopk, {}, {3}}, rows), "{a=\"3\"} 7\n{a=\"4\"} 5\n{a=\"1\"} 1\n");
  EXPECT_EQ(run({AggregateOp::kBottomk, {}, {9}}, rows),
            "{a=\"1\"} 1\n{a=\"4\"} 5\n{a=\"3\"} 7\n{a=\"2\"} NaN\n");
}

TEST(Aggregate, KMustBeANumber) {
  EXPECT_EQ(run({AggregateOp::kTopk, {}, {kNan}}, jobs()), "Parameter value is NaN");
  EXPECT_EQ(run({AggregateOp::kTopk, {}, {0}}, jobs()), "");
  EXPECT_EQ(run({AggregateOp::kLimitk, {}, {-1}}, jobs()), "");
  EXPECT_EQ(run({AggregateOp::kLimitk, {}, {1e19}}, jobs()), "Scalar value 1e+19 overflows int64");
  EXPECT_EQ(run({AggregateOp::kBottomk, {}, {1, -kInf, 1}}, jobs()),
            "Scalar value -Inf underflows int64");
}

TEST(Aggregate, LimitKTakesTheFirstAtEachStep) {
  EXPECT_EQ(run({AggregateOp::kLimitk, {}, {1}}, jobs()),
            "m{i=\"1\", job=\"a\"} 1 2 _\nn{i=\"1\", job=\"b\"} _ _ 7\n");
  EXPECT_EQ(run({AggregateOp::kLimitk, {{"job"}}, {1, 0, 1}}, jobs()),
            "m{i=\"1\", job=\"a\"} 1 _ _\nn{i=\"1\", job=\"b\"} 5 _ 7\n");
}

TEST(Aggregate, LimitRatioAndItsComplementAreTheWhole) {
  std::vector<OwnedRow> rows;
  for (int i = 0; i < 1000; ++i) rows.push_back(row({{"i", std::to_string(i)}}, {1}));
  Evaluation evaluation(1);
  const auto some = rows_of({AggregateOp::kLimitRatio, {}, {0.3}}, rows, evaluation);
  const auto others = rows_of({AggregateOp::kLimitRatio, {}, {-0.7}}, rows, evaluation);
  ASSERT_TRUE(some && others);
  EXPECT_EQ(some->size() + others->size(), 1000U);
  EXPECT_GT(some->size(), 200U);
  EXPECT_LT(some->size(), 400U);
  for (const auto& chosen : *some) {
    EXPECT_TRUE(std::ranges::none_of(
        *others, [&](const OwnedRow& other) { return other.labels == chosen.labels; }));
  }
}

TEST(Aggregate, RatiosBeyondOneAreCapped) {
  EXPECT_EQ(run({AggregateOp::kLimitRatio, {}, {1.1}}, {row({{"a", "1"}}, {3})}),
            "{a=\"1\"} 3\nPromQL warning: ratio value should be between -1 and 1, got 1.1, capping "
            "to 1 (1:6)\n");
  EXPECT_EQ(
      run({AggregateOp::kLimitRatio, {}, {-1.5}}, {row({{"a", "1"}}, {3})}),
      "{a=\"1\"} 3\nPromQL warning: ratio value should be between -1 and 1, got -1.5, capping "
      "to -1 (1:6)\n");
  EXPECT_EQ(run({AggregateOp::kLimitRatio, {}, {0}}, jobs()), "");
  EXPECT_EQ(run({AggregateOp::kLimitRatio, {}, {kNan}}, jobs()), "Ratio value is NaN");
}

TEST(Aggregate, CountValues) {
  const std::vector<OwnedRow> rows{row({{"job", "a"}, {"v", "x"}}, {1, 1e21, kNone}),
                                   row({{"job", "a"}, {"w", "y"}}, {1, kNan, 0.5}),
                                   row({{"job", "b"}}, {2, -kInf, kNone})};
  EXPECT_EQ(run({AggregateOp::kCountValues, {}, {}, "v"}, rows),
            "{v=\"1\"} 2 _ _\n{v=\"1000000000000000000000\"} _ 1 _\n{v=\"NaN\"} _ 1 _\n"
            "{v=\"0.5\"} _ _ 1\n{v=\"2\"} 1 _ _\n{v=\"-Inf\"} _ 1 _\n");
  EXPECT_EQ(run({AggregateOp::kCountValues, {{"job"}}, {}, "job"}, {rows[0], rows[2]}),
            "{job=\"1\"} 1 _ _\n{job=\"1000000000000000000000\"} _ 1 _\n{job=\"2\"} 1 _ _\n"
            "{job=\"-Inf\"} _ 1 _\n");
  EXPECT_EQ(run({AggregateOp::kCountValues, {{"w", "v"}, true}, {}, "v"}, rows),
            "{job=\"a\"} 2 2 1\n{job=\"b\"} 1 1 _\n");
  EXPECT_EQ(run({AggregateOp::kCountValues, {{"w"}, true}, {}, "v"}, {rows[0], rows[1]}),
            "{job=\"a\", v=\"1\"} 2 _ _\n{job=\"a\", v=\"1000000000000000000000\"} _ 1 _\n"
            "{job=\"a\", v=\"NaN\"} _ 1 _\n{job=\"a\", v=\"0.5\"} _ _ 1\n");
  // The shortest digits that read back the same, then zeros: not 18446744073709551616.
  EXPECT_EQ(run({AggregateOp::kCountValues, {}, {}, "v"}, {row({}, {0x1p64})}),
            "{v=\"18446744073709552000\"} 1\n");
}

TEST(Aggregate, CountValuesWantsALabelName) {
  EXPECT_EQ(run({AggregateOp::kCountValues, {}, {}, ""}, jobs()), "invalid label name \"\"");
  EXPECT_EQ(run({AggregateOp::kCountValues, {}, {}, "a\xc5z"}, jobs()).substr(0, 18),
            "invalid label name");
}

TEST(Aggregate, WhatIsHeldIsChargedAndGivenBack) {
  std::vector<OwnedRow> rows;
  for (int i = 0; i < 100; ++i) {
    rows.push_back(row({{"i", std::to_string(i)}}, std::vector<double>(100, 1.0)));
  }
  for (const AggregateOp op : {AggregateOp::kSum, AggregateOp::kTopk, AggregateOp::kQuantile}) {
    const Asked asked{op, {{"i"}}, {1}};
    QueryLimits limits;
    limits.max_bytes = 50'000;
    Evaluation tight(100, limits);
    const auto refused = rows_of(asked, rows, tight);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
    EXPECT_TRUE(tight.meter().charge_bytes(49'000)) << "something was not given back";
  }
}

// ---- against a twin that goes sample by sample ------------------------------------------------

using Plain = std::map<std::string, std::vector<double>>;  // packed labels of the group

std::optional<double> naive(AggregateOp op, const std::vector<double>& values, double q) {
  if (values.empty()) return std::nullopt;
  long double sum = 0;
  double best = kNan;
  for (const double value : values) {
    sum += value;
    const bool better = op == AggregateOp::kMin ? value < best : value > best;
    if (std::isnan(best) || better) best = value;
  }
  const auto n = static_cast<double>(values.size());
  if (op == AggregateOp::kSum) return static_cast<double>(sum);
  if (op == AggregateOp::kAvg) return static_cast<double>(sum / n);
  if (op == AggregateOp::kCount) return n;
  if (op == AggregateOp::kMin || op == AggregateOp::kMax) return best;
  if (op == AggregateOp::kQuantile) {
    std::vector<double> sorted;
    std::ranges::copy_if(values, std::back_inserter(sorted),
                         [](double v) { return !std::isnan(v); });
    std::ranges::sort(sorted);
    sorted.insert(sorted.begin(), values.size() - sorted.size(), kNan);
    const double rank = q * (n - 1);
    const auto low = static_cast<size_t>(rank);
    const size_t high = std::min(low + 1, sorted.size() - 1);
    const double weight = rank - std::floor(rank);
    return sorted[low] * (1 - weight) + sorted[high] * weight;
  }
  long double squares = 0;
  for (const double value : values) squares += (value - sum / n) * (value - sum / n);
  return static_cast<double>(squares / n);  // stdvar
}

bool close(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::fabs(a - b) <= 1e-9 * (std::fabs(a) + std::fabs(b)) + 1e-9;
}

TEST(Aggregate, AgreesWithAPlainTwin) {
  SeededRandom random(42);
  for (int round = 0; round < 200; ++round) {
    const size_t steps = 1 + random.below(20);
    const auto rows = testing::random_rows(random, 1 + random.below(40), steps);
    const double q = random.unit();
    for (const AggregateOp op :
         {AggregateOp::kSum, AggregateOp::kAvg, AggregateOp::kCount, AggregateOp::kMin,
          AggregateOp::kMax, AggregateOp::kQuantile, AggregateOp::kStdvar}) {
      Evaluation evaluation(steps);
      const auto out = rows_of({op, {{"g", "h"}}, {q}}, rows, evaluation);
      ASSERT_TRUE(out) << out.error().message;
      std::map<std::string, const OwnedRow*> by_labels;
      for (const auto& given : *out) by_labels[given.labels.packed()] = &given;
      ASSERT_EQ(by_labels.size(), out->size());
      for (size_t i = 0; i < steps; ++i) {
        Plain groups;
        for (const auto& given : rows) {
          auto& group = groups[testing::only(given.labels, {"g", "h"}).packed()];
          if (!is_absent(given.values[i])) group.push_back(given.values[i]);
        }
        for (const auto& [labels, values] : groups) {
          const auto wanted = naive(op, values, q);
          const auto got = by_labels.find(labels);
          if (!wanted) {
            EXPECT_TRUE(got == by_labels.end() || is_absent(got->second->values[i]));
            continue;
          }
          ASSERT_NE(got, by_labels.end());
          ASSERT_FALSE(is_absent(got->second->values[i]));
          EXPECT_TRUE(close(got->second->values[i], *wanted))
              << static_cast<int>(op) << " " << got->second->values[i] << " " << *wanted;
        }
      }
    }
  }
}

TEST(Aggregate, TopAgreesWithSorting) {
  SeededRandom random(7);
  for (int round = 0; round < 200; ++round) {
    const size_t steps = 1 + random.below(10);
    const auto rows = testing::random_rows(random, 1 + random.below(40), steps);
    const size_t k = 1 + random.below(6);
    const bool top = random.below(2) == 0;
    Evaluation evaluation(steps);
    const auto out = rows_of(
        {top ? AggregateOp::kTopk : AggregateOp::kBottomk, {{"g"}}, {static_cast<double>(k)}}, rows,
        evaluation);
    ASSERT_TRUE(out);
    for (size_t i = 0; i < steps; ++i) {
      const auto sorted = [&](const std::vector<OwnedRow>& from) {
        Plain groups;
        for (const auto& given : from) {
          if (is_absent(given.values[i])) continue;
          const double value = std::isinf(given.values[i]) ? 1e300 : given.values[i];
          groups[testing::only(given.labels, {"g"}).packed()].push_back(
              std::isnan(value) ? (top ? -kInf : kInf) : value);
        }
        for (auto& [labels, values] : groups) {
          std::ranges::sort(values);
          if (top) std::ranges::reverse(values);
          values.resize(std::min(values.size(), k));
        }
        return groups;
      };
      EXPECT_EQ(sorted(*out), sorted(rows));
    }
  }
}

}  // namespace
}  // namespace binnacle::query::promql
