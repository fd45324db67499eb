#include "query/promql/test_script_tree.h"

#include <gtest/gtest.h>

#include "query/promql/parser.h"
#include "query/promql/printer.h"

namespace binnacle::query::promql {
namespace {

ExprPtr read(std::string_view text) {
  auto expr = parse(text, {.experimental = true});
  EXPECT_TRUE(expr) << expr.error().message;
  return std::move(*expr);
}

std::string with_at(std::string_view text) {
  const ExprPtr expr = read(text);
  put_at(*expr, 10'000);
  return to_string(*expr);
}

TEST(ScriptTree, AtIsPutOnSelectorsAndOutermostSubqueries) {
  EXPECT_EQ(with_at("a + b"), "a @ 10.000 + b @ 10.000");
  EXPECT_EQ(with_at("rate(a[5m] offset 1m)"), "rate(a[5m] @ 10.000 offset 1m)");
  EXPECT_EQ(with_at("a @ 5"), "a @ 5.000");
  EXPECT_EQ(with_at("a @ end()"), "a @ 10.000");
  EXPECT_EQ(with_at("max_over_time(a[5m:])"), "max_over_time(a[5m:] @ 10.000)");
  EXPECT_EQ(with_at("max_over_time((a - b)[5m:] @ 3)"), "max_over_time((a - b)[5m:] @ 3.000)");
  EXPECT_EQ(with_at("topk(scalar(k), -(a))"), "topk(scalar(k @ 10.000), -(a @ 10.000))");
}

TEST(ScriptTree, KnowsWhatDependsOnTheTime) {
  for (const char* text : {"time()", "a + hour()", "sum(timestamp(a))", "predict_linear(a[5m], 1)"})
    EXPECT_TRUE(depends_on_time(*read(text))) << text;
  for (const char* text : {"a", "rate(a[5m])", "max_over_time(timestamp(a)[5m:])"})
    EXPECT_FALSE(depends_on_time(*read(text))) << text;
}

}  // namespace
}  // namespace binnacle::query::promql
