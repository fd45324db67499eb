#include "query/promql/duration_expr.h"

#include <gtest/gtest.h>

#include "query/promql/parser.h"

namespace binnacle::query::promql {
namespace {

constexpr DurationScope kScope{.step_ms = 15'000, .range_ms = 3'600'000};

Result<int64_t> range_ms(const std::string& text) {
  TRY_ASSIGN(const ExprPtr expr, parse("a[" + text + "]", {.experimental = true}));
  return duration_ms(as<MatrixSelector>(*expr)->range, kScope, false);
}

Result<int64_t> offset_ms(const std::string& text) {
  TRY_ASSIGN(const ExprPtr expr, parse("a offset " + text, {.experimental = true}));
  return duration_ms(as<VectorSelector>(*expr)->offset, kScope, true);
}

TEST(DurationExpr, Values) {
  EXPECT_EQ(*range_ms("5m"), 300'000);
  EXPECT_EQ(*range_ms("5m * 2 - 30"), 570'000);
  EXPECT_EQ(*range_ms("step()"), 15'000);
  EXPECT_EQ(*range_ms("range() / 7"), 514'285);
  EXPECT_EQ(*range_ms("(2m + 5s) % 1m"), 5'000);
  EXPECT_EQ(*range_ms("2 ^ 3 ^ 2"), 512'000);
  EXPECT_EQ(*range_ms("-(-5m)"), 300'000);
  EXPECT_EQ(*range_ms("min_of(step(), 1m) + max_of(step(), 1m)"), 75'000);
  EXPECT_EQ(*offset_ms("-(5m * 2)"), -600'000);
  EXPECT_EQ(*offset_ms("-step()"), -15'000);
  EXPECT_EQ(*offset_ms("(1m - 1m)"), 0);
}

TEST(DurationExpr, ErrorsNameTheBytes) {
  EXPECT_EQ(range_ms("step() - 1h").error().message, "2:13: duration must be greater than 0");
  EXPECT_EQ(range_ms("1m / (1m - 60)").error().message, "2:15: division by zero");
  EXPECT_EQ(range_ms("1m % (1m - 60)").error().message, "2:15: modulo by zero");
  EXPECT_EQ(range_ms("(0 - 2) ^ 0.5").error().message, "3:15: duration is NaN or infinite");
  EXPECT_EQ(range_ms("1d ^ 9").error().message, "2:8: duration is out of range");
  EXPECT_EQ(offset_ms("-(1d ^ 9)").error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace binnacle::query::promql
