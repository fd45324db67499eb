#include "query/promql/math_functions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "query/promql/function_fixture.h"

namespace binnacle::query::promql {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string math(const std::string& name, std::vector<double> values) {
  FunctionCall call(name, values.size());
  return call.vector({{{{"__name__", "up"}, {"a", "b"}}, std::move(values)}}).rows();
}

TEST(MathFunctions, OneValueToOneAndTheNameGoes) {
  EXPECT_EQ(math("abs", {-1.5, kNone, -kInf, kNaN}), "up{a=\"b\"} drop 1.5 _ +Inf NaN\n");
  EXPECT_EQ(math("ceil", {-1.5, 1.2, kNone}), "up{a=\"b\"} drop -1 2 _\n");
  EXPECT_EQ(math("floor", {-1.5, 1.2, kNone}), "up{a=\"b\"} drop -2 1 _\n");
  EXPECT_EQ(math("sgn", {-7, 0, 3, kNaN}), "up{a=\"b\"} drop -1 0 1 NaN\n");
  EXPECT_EQ(math("sqrt", {4, -1}), "up{a=\"b\"} drop 2 NaN\n");
  EXPECT_EQ(math("ln", {1, 0, -1}), "up{a=\"b\"} drop 0 -Inf NaN\n");
  EXPECT_EQ(math("log2", {8}), "up{a=\"b\"} drop 3\n");
  EXPECT_EQ(math("log10", {1000}), "up{a=\"b\"} drop 3\n");
  EXPECT_EQ(math("exp", {0, -kInf, kInf}), "up{a=\"b\"} drop 1 0 +Inf\n");
  EXPECT_EQ(math("deg", {std::numbers::pi}), "up{a=\"b\"} drop 180\n");
  EXPECT_EQ(math("rad", {180}), "up{a=\"b\"} drop 3.141592653589793\n");
}

TEST(MathFunctions, TrigonometryIsTheLibrarys) {
  const std::vector<std::pair<std::string, double (*)(double)>> functions = {
      {"sin", std::sin},   {"cos", std::cos},     {"tan", std::tan},     {"asin", std::asin},
      {"acos", std::acos}, {"atan", std::atan},   {"sinh", std::sinh},   {"cosh", std::cosh},
      {"tanh", std::tanh}, {"asinh", std::asinh}, {"acosh", std::acosh}, {"atanh", std::atanh}};
  for (const auto& [name, function] : functions) {
    const double at = name == "acosh" ? 1.7 : 0.7;
    EXPECT_EQ(math(name, {at, kNone}),
              "up{a=\"b\"} drop " + FunctionCall::number(function(at)) + " _\n")
        << name;
  }
}

TEST(MathFunctions, ClampHasBoundsOfEachStep) {
  const std::vector<double> values = {-50, kNone, 100, kNaN};
  EXPECT_EQ(FunctionCall("clamp", 4).vector({{{}, values}}).scalar(-25).scalar(75).rows(),
            "{} drop -25 _ 75 NaN\n");
  EXPECT_EQ(FunctionCall("clamp", 4)
                .vector({{{}, {5, 5, 5, 5}}})
                .scalars({0, 6, 7, kNaN})
                .scalars({4, 9, 6, 9})
                .rows(),
            "{} drop 4 6 _ NaN\n");
  EXPECT_EQ(FunctionCall("clamp_max", 4).vector({{{}, values}}).scalars({-60, 1, 75, kInf}).rows(),
            "{} drop -60 _ 75 NaN\n");
  EXPECT_EQ(FunctionCall("clamp_min", 4).vector({{{}, values}}).scalars({0, 1, 75, kInf}).rows(),
            "{} drop 0 _ 100 +Inf\n");
}

TEST(MathFunctions, RoundGoesUpFromTheMiddle) {
  EXPECT_EQ(FunctionCall("round", 4).vector({{{}, {-0.5, 2.5, kNone, 6.45}}}).rows(),
            "{} drop 0 3 _ 6\n");
  EXPECT_EQ(FunctionCall("round", 3).vector({{{}, {0.0055, 6.45, 52.25}}}).scalar(0.1).rows(),
            "{} drop 0 6.5 52.3\n");
  EXPECT_EQ(FunctionCall("round", 2).vector({{{}, {7, 7}}}).scalars({5, 0}).rows(),
            "{} drop 5 NaN\n");
}

TEST(MathFunctions, LargerAndSmallerAsGoHasThem) {
  EXPECT_EQ(larger_of(kNaN, kInf), kInf);
  EXPECT_TRUE(std::isnan(larger_of(kNaN, 1)));
  EXPECT_TRUE(std::isnan(larger_of(-kInf, kNaN)));
  EXPECT_EQ(smaller_of(kNaN, -kInf), -kInf);
  EXPECT_TRUE(std::isnan(smaller_of(1, kNaN)));
  EXPECT_FALSE(std::signbit(larger_of(-0.0, 0.0)));
  EXPECT_TRUE(std::signbit(smaller_of(0.0, -0.0)));
  EXPECT_EQ(larger_of(1, 2), 2);
  EXPECT_EQ(smaller_of(1, 2), 1);
}

}  // namespace
}  // namespace binnacle::query::promql
