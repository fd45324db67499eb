#include "query/promql/binary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "query/promql/rows_testing.h"

namespace binnacle::query::promql {
namespace {

using testing::Evaluation;
using testing::row;
using testing::shown;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNone = absent_value();

std::string scaled(BinaryOp op, bool scalar_is_lhs, bool return_bool, std::vector<double> scalar,
                   const std::vector<OwnedRow>& rows) {
  BinaryExpr expr;
  expr.op = op;
  expr.return_bool = return_bool;
  Evaluation evaluation(scalar.size());
  const auto source = vector_scalar(expr, std::make_unique<OwnedRows>(rows), std::move(scalar),
                                    scalar_is_lhs, evaluation.context());
  return shown(*testing::all_rows(*source));
}

TEST(Binary, Scalars) {
  EXPECT_EQ(scalar_binary(BinaryOp::kAdd, 1, 2), 3);
  EXPECT_EQ(scalar_binary(BinaryOp::kSub, 1, 2), -1);
  EXPECT_EQ(scalar_binary(BinaryOp::kMul, 3, 2), 6);
  EXPECT_EQ(scalar_binary(BinaryOp::kDiv, 1, 0), kInf);
  EXPECT_EQ(scalar_binary(BinaryOp::kMod, -7, 4), -3);
  EXPECT_EQ(scalar_binary(BinaryOp::kMod, 7, kInf), 7);
  EXPECT_TRUE(std::isnan(scalar_binary(BinaryOp::kMod, 7, 0)));
  EXPECT_EQ(scalar_binary(BinaryOp::kPow, 2, 10), 1024);
  EXPECT_EQ(scalar_binary(BinaryOp::kPow, 1, kNan), 1);
  EXPECT_EQ(scalar_binary(BinaryOp::kAtan2, 1, 1), std::atan2(1, 1));
  EXPECT_EQ(scalar_binary(BinaryOp::kEqual, 1, 1), 1);
  EXPECT_EQ(scalar_binary(BinaryOp::kEqual, kNan, kNan), 0);
  EXPECT_EQ(scalar_binary(BinaryOp::kNotEqual, kNan, kNan), 1);
  EXPECT_EQ(scalar_binary(BinaryOp::kGreater, 2, 1), 1);
  EXPECT_EQ(scalar_binary(BinaryOp::kLess, 2, 1), 0);
  EXPECT_EQ(scalar_binary(BinaryOp::kGreaterOrEqual, 1, 1), 1);
  EXPECT_EQ(scalar_binary(BinaryOp::kLessOrEqual, 2, 1), 0);
  std::vector<double> out(2);
  scalar_binary(BinaryOp::kSub, std::vector<double>{5, 7}, std::vector<double>{1, 2}, out);
  EXPECT_EQ(out, (std::vector<double>{4, 5}));
}

TEST(Binary, VectorAndScalar) {
  const std::vector<OwnedRow> rows{row({{"__name__", "m"}, {"a", "1"}}, {1, kNone, 3}),
                                   row({{"__name__", "m"}, {"a", "2"}}, {kNan, 2, 1})};
  EXPECT_EQ(scaled(BinaryOp::kMul, false, false, {2, 3, 4}, rows),
            "m{a=\"1\"}(drop) 2 _ 12\nm{a=\"2\"}(drop) NaN 6 4\n");
  EXPECT_EQ(scaled(BinaryOp::kSub, true, false, {10, 10, 10}, rows),
            "m{a=\"1\"}(drop) 9 _ 7\nm{a=\"2\"}(drop) NaN 8 9\n");
  EXPECT_EQ(scaled(BinaryOp::kGreater, false, false, {1, 1, 2}, rows),
            "m{a=\"1\"} _ _ 3\nm{a=\"2\"} _ 2 _\n");
  EXPECT_EQ(scaled(BinaryOp::kLess, true, false, {2, 2, 2}, rows), "m{a=\"1\"} _ _ 3\n");
  EXPECT_EQ(scaled(BinaryOp::kGreater, false, true, {1, 1, 2}, rows),
            "m{a=\"1\"}(drop) 0 _ 1\nm{a=\"2\"}(drop) 0 1 0\n");
}

TEST(Binary, AComparisonKeepsADropThatIsThere) {
  auto dropping = row({{"__name__", "m"}}, {1});
  dropping.drop_name = true;
  EXPECT_EQ(scaled(BinaryOp::kGreater, false, false, {0}, {dropping}), "m(drop) 1\n");
}

TEST(Binary, NegationLeavesNansAndAbsence) {
  const auto source = negate(std::make_unique<OwnedRows>(
      std::vector<OwnedRow>{row({{"__name__", "m"}}, {1, kNone, kNan, -kInf})}));
  EXPECT_EQ(shown(*testing::all_rows(*source)), "m(drop) -1 _ NaN +Inf\n");
}

}  // namespace
}  // namespace binnacle::query::promql
