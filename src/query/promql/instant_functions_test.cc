#include "query/promql/instant_functions.h"

#include <gtest/gtest.h>

#include <limits>
#include <numbers>

#include "query/promql/function_fixture.h"

namespace binnacle::query::promql {
namespace {

using model::Matcher;
using model::MatchOp;

const double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string numbers(const Result<std::vector<double>>& values) {
  if (!values) return values.error().message;
  std::string out;
  for (const double v : *values) out += FunctionCall::number(v) + " ";
  return out;
}

TEST(InstantFunctions, Scalars) {
  EXPECT_EQ(numbers(FunctionCall("time", 3, 1'500).scalar_values()), "1.5 61.5 121.5 ");
  EXPECT_EQ(numbers(FunctionCall("pi", 2).scalar_values()), "3.141592653589793 3.141592653589793 ");
  EXPECT_EQ(
      numbers(FunctionCall("max_of", 3).scalars({1, kNaN, -1}).scalars({2, 1, -2}).scalar_values()),
      "2 NaN -1 ");
  EXPECT_EQ(numbers(FunctionCall("min_of", 2).scalars({1, 3}).scalars({2, 1}).scalar_values()),
            "1 1 ");
  EXPECT_EQ(numbers(FunctionCall("up", 1).scalar_values()), "function up() does not give a scalar");
}

TEST(InstantFunctions, ScalarIsTheOnlyValueOfAStep) {
  EXPECT_EQ(numbers(FunctionCall("scalar", 5)
                        .vector({{{{"a", "1"}}, {1, kNone, kNone, 1, kNaN}},
                                 {{{"a", "2"}}, {kNone, 2, kNone, 2, kNone}},
                                 {{{"a", "3"}}, {kNone, kNone, kNone, 3, kNone}}})
                        .scalar_values()),
            "1 2 NaN NaN NaN ");
}

TEST(InstantFunctions, VectorAndTimestamps) {
  EXPECT_EQ(FunctionCall("vector", 2).scalars({1, 2}).rows(), "{} 1 2\n");
  EXPECT_EQ(FunctionCall("timestamp", 2, 500).vector({{{{"__name__", "up"}}, {7, kNone}}}).rows(),
            "up drop 0.5 _\n");
  EXPECT_EQ(FunctionCall("start_timestamp", 1).vector({{{{"a", "b"}}, {7}}}).rows(), "");
  EXPECT_EQ(FunctionCall("rate", 1).vector({}).rows(),
            "function rate() is not one over instant vectors");
}

TEST(InstantFunctions, ErrorsOfTheInputComeThrough) {
  class Broken final : public RowSource {
    Result<bool> next(Row&) override { return fail(Code::kDataLoss, "torn"); }
  };
  for (const char* name :
       {"abs", "sort", "histogram_count", "histogram_quantile", "absent", "timestamp", "minute"}) {
    FunctionCall call(name, 1);
    call.vector({});
    std::vector<Argument> args;
    if (std::string_view(name) == "histogram_quantile") {
      call.vector({});
      args.emplace_back().scalar = {0.5};
    }
    args.emplace_back().rows = std::make_unique<Broken>();
    EXPECT_EQ(call.print(call_on_rows(call.call(), std::move(args), call.context())), "torn")
        << name;
  }
}

std::unique_ptr<VectorSelector> selector(
    std::vector<std::tuple<std::string, MatchOp, std::string>> matchers) {
  auto out = std::make_unique<VectorSelector>();
  for (const auto& [name, op, value] : matchers) {
    out->matchers.push_back(*Matcher::create(op, name, value));
  }
  return out;
}

std::string absent_labels(ExprPtr argument) {
  FunctionCall call("absent", 1);
  return call.print(absent(*argument, rows_of({}), call.context()));
}

TEST(Absent, OneWhereNoRowHasAValue) {
  FunctionCall call("absent", 4);
  EXPECT_EQ(
      call.vector({{{{"a", "1"}}, {1, kNone, kNone, kNaN}}, {{{"a", "2"}}, {1, kNone, 0, kNone}}})
          .rows(),
      "{} _ 1 _ _\n");
}

TEST(Absent, TheLabelsAreThoseAskedForByEquality) {
  const auto written = [] {
    return selector({{"job", MatchOp::kEqual, "a"},
                     {"instance", MatchOp::kRegex, "b"},
                     {"x", MatchOp::kEqual, "1"},
                     {"x", MatchOp::kNotEqual, "2"},
                     {"y", MatchOp::kEqual, "1"},
                     {"y", MatchOp::kEqual, "1"},
                     {"z", MatchOp::kEqual, ""},
                     {"__name__", MatchOp::kEqual, "up"}});
  };
  EXPECT_EQ(absent_labels(written()), "{job=\"a\"} 1\n");
  auto range = std::make_unique<MatrixSelector>();
  range->selector = written();
  EXPECT_EQ(absent_labels(std::move(range)), "{job=\"a\"} 1\n");
  auto paren = std::make_unique<ParenExpr>();
  paren->expr = written();
  EXPECT_EQ(absent_labels(std::move(paren)), "{job=\"a\"} 1\n");
  auto minus = std::make_unique<UnaryExpr>();
  minus->expr = written();
  EXPECT_EQ(absent_labels(std::move(minus)), "{} 1\n");
}

}  // namespace
}  // namespace binnacle::query::promql
