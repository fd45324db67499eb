#include "query/promql/parser.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "query/promql/function_table.h"
#include "query/promql/printer.h"

namespace binnacle::query::promql {
namespace {

constexpr ParseOptions kAll{.experimental = true};

ExprPtr parsed(std::string_view text) {
  auto expr = parse(text, kAll);
  EXPECT_TRUE(expr) << text << ": " << expr.error().message;
  return expr ? std::move(*expr) : std::make_unique<NumberLiteral>();
}

double number(std::string_view text) {
  const ExprPtr expr = parsed(text);
  const auto* literal = as<NumberLiteral>(*expr);
  return literal != nullptr ? literal->value : -12345;
}

// Every operation in parentheses.
std::string shape(const Expr& expr) {
  if (const auto* binary = as<BinaryExpr>(expr)) {
    return "(" + shape(*binary->lhs) + std::string(binary_op_text(binary->op)) +
           shape(*binary->rhs) + ")";
  }
  if (const auto* unary = as<UnaryExpr>(expr))
    return std::string("(") + (unary->negative ? "-" : "+") + shape(*unary->expr) + ")";
  return to_string(expr);
}

std::string shape(std::string_view text) { return shape(*parsed(text)); }

TEST(Parser, Numbers) {
  EXPECT_EQ(number("12"), 12);
  EXPECT_EQ(number(".5"), 0.5);
  EXPECT_EQ(number("5."), 5);
  EXPECT_EQ(number("5e-3"), 0.005);
  EXPECT_EQ(number("0x1F"), 31);
  EXPECT_EQ(number("0X_ff"), 255);
  EXPECT_EQ(number("017"), 15);
  EXPECT_EQ(number("08"), 8);
  EXPECT_EQ(number("1_000_000"), 1e6);
  EXPECT_EQ(number("1_0.2_5e1_0"), 10.25e10);
  EXPECT_EQ(number("9223372036854775808"), 9223372036854775808.0);
  EXPECT_EQ(number("1e-400"), 0);
  EXPECT_EQ(number("-iNf"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(number("NaN")));
  EXPECT_EQ(number("1h30m"), 5400);
  EXPECT_EQ(number("-1m5ms"), -60.005);
}

TEST(Parser, ASignIsPartOfANumberAndBindsLikeAProduct) {
  EXPECT_EQ(number("+-+5"), -5);
  EXPECT_EQ(parsed(" - 5")->position.start, 1U);
  EXPECT_EQ(shape("-2^2"), "(-(2^2))");
  EXPECT_EQ(shape("-a*b"), "((-a)*b)");
  EXPECT_EQ(shape("2^-3*4"), "((2^-3)*4)");
  EXPECT_EQ(shape("-a offset 5m + 1"), "((-a offset 5m)+1)");
}

TEST(Parser, Precedence) {
  EXPECT_EQ(shape("a or b and c unless d"), "(aor((bandc)unlessd))");
  EXPECT_EQ(shape("a == b + c * d ^ e ^ f"), "(a==(b+(c*(d^(e^f)))))");
  EXPECT_EQ(shape("a - b - c"), "((a-b)-c)");
  EXPECT_EQ(shape("a / b % c atan2 d * e"), "((((a/b)%c)atan2d)*e)");
  EXPECT_EQ(shape("a < b > c"), "((a<b)>c)");
  EXPECT_EQ(shape("a ^ b offset 5m"), "(a^b offset 5m)");
}

TEST(Parser, VectorSelectors) {
  const ExprPtr expr = parsed(R"(foo{a="b", 'c.d'!~`e\d`, "x"!="y",} @ 1.5 offset -1m)");
  const auto* selector = as<VectorSelector>(*expr);
  ASSERT_NE(selector, nullptr);
  EXPECT_EQ(selector->name, "foo");
  ASSERT_EQ(selector->matchers.size(), 4U);
  EXPECT_EQ(selector->matchers[1].name(), "c.d");
  EXPECT_EQ(selector->matchers[1].value(), "e\\d");
  EXPECT_EQ(selector->matchers[3].to_string(), R"(__name__="foo")");
  EXPECT_EQ(selector->offset.ms, -60'000);
  EXPECT_EQ(selector->at.kind, AtModifier::Kind::kTime);
  EXPECT_EQ(selector->at.time_ms, 1500);
  EXPECT_EQ(selector->position.end, 52U);

  const ExprPtr quoted = parsed(R"({"http.status", "b"=~"x"})");
  EXPECT_EQ(as<VectorSelector>(*quoted)->name, "");
  EXPECT_EQ(as<VectorSelector>(*quoted)->matchers[0].to_string(), R"(__name__="http.status")");
}

TEST(Parser, KeywordsAreNamesWhereTheyCanBe) {
  for (const std::string name : {"by", "without", "offset", "sum", "count_values", "and", "or",
                                 "unless", "start", "end", "step", "range", "min_of", "fill",
                                 "fill_left", "anchored", "smoothed", "limitk", "OFFSET"}) {
    EXPECT_EQ(as<VectorSelector>(*parsed(name))->name, name);
    EXPECT_EQ(to_string(*parsed("a + " + name + "{x=\"y\"}")), "a + " + name + "{x=\"y\"}");
  }
  EXPECT_EQ(to_string(*parsed("sum by (by, on, bool, group_left, sum, start, atan2, x:y) (a)")),
            R"(sum by (by, on, bool, group_left, sum, start, atan2, "x:y") (a))");
  EXPECT_EQ(to_string(*parsed("SUM BY (a) (b) AND c")), "sum by (a) (b) and c");
  EXPECT_EQ(to_string(*parsed("a{by=\"x\",offset=\"y\"}")), "a{by=\"x\",offset=\"y\"}");
}

TEST(Parser, MatrixSelectorsAndSubqueries) {
  const ExprPtr matrix = parsed("foo[1h30m] anchored offset 5m @ start()");
  const auto* range = as<MatrixSelector>(*matrix);
  ASSERT_NE(range, nullptr);
  EXPECT_EQ(range->range.ms, 5'400'000);
  EXPECT_TRUE(range->selector->anchored);
  EXPECT_EQ(range->selector->offset.ms, 300'000);
  EXPECT_EQ(range->selector->at.kind, AtModifier::Kind::kStart);
  EXPECT_EQ(as<MatrixSelector>(*parsed("a[90]"))->range.ms, 90'000);
  EXPECT_EQ(as<MatrixSelector>(*parsed("a[ 0.5 ]"))->range.ms, 500);

  const ExprPtr outer = parsed("rate(foo[1m])[5m:10s] @ end() offset 1w");
  const auto* subquery = as<Subquery>(*outer);
  ASSERT_NE(subquery, nullptr);
  EXPECT_EQ(subquery->range.ms, 300'000);
  ASSERT_TRUE(subquery->step);
  EXPECT_EQ(subquery->step->ms, 10'000);
  EXPECT_EQ(subquery->offset.ms, 604'800'000);
  EXPECT_EQ(subquery->at.kind, AtModifier::Kind::kEnd);
  EXPECT_FALSE(as<Subquery>(*parsed("foo[5m:]"))->step);
}

TEST(Parser, Aggregations) {
  for (const std::string_view text :
       {"topk by (a, \"b.c\") (3, x)", "topk(3, x) by (a, \"b.c\",)", "topk by(a,'b.c')(3,x)"}) {
    const ExprPtr expr = parsed(text);
    const auto* topk = as<Aggregation>(*expr);
    ASSERT_NE(topk, nullptr);
    EXPECT_EQ(topk->op, AggregateOp::kTopk);
    EXPECT_EQ(topk->grouping.labels, (std::vector<std::string>{"a", "b.c"}));
    EXPECT_FALSE(topk->grouping.without);
    EXPECT_EQ(to_string(*topk->param), "3");
    EXPECT_EQ(to_string(*topk->expr), "x");
  }
  EXPECT_TRUE(as<Aggregation>(*parsed("sum without () (a)"))->grouping.without);
  EXPECT_EQ(as<Aggregation>(*parsed(R"(count_values("x", a))"))->op, AggregateOp::kCountValues);
}

TEST(Parser, VectorMatching) {
  const ExprPtr expr = parsed("a >= bool on (x, 'y.z') group_left (k) fill_right (-1) b");
  const auto* binary = as<BinaryExpr>(*expr);
  ASSERT_TRUE(binary != nullptr && binary->matching);
  EXPECT_TRUE(binary->return_bool);
  EXPECT_TRUE(binary->matching->on);
  EXPECT_EQ(binary->matching->labels, (std::vector<std::string>{"x", "y.z"}));
  EXPECT_EQ(binary->matching->card, Cardinality::kManyToOne);
  EXPECT_EQ(binary->matching->include, (std::vector<std::string>{"k"}));
  EXPECT_FALSE(binary->matching->fill_lhs);
  EXPECT_EQ(binary->matching->fill_rhs, -1.0);

  const auto matching = [](std::string_view text) {
    const ExprPtr e = parsed(text);
    return as<BinaryExpr>(*e)->matching;
  };
  EXPECT_EQ(matching("a and ignoring (x) b")->card, Cardinality::kManyToMany);
  EXPECT_EQ(matching("a / ignoring (x) group_right b")->card, Cardinality::kOneToMany);
  EXPECT_EQ(matching("a + fill (2) b")->fill_lhs, 2.0);
  EXPECT_EQ(matching("a + fill_right (2) fill_left (1) b")->fill_lhs, 1.0);
  EXPECT_FALSE(matching("a + 1"));
  EXPECT_FALSE(matching("1 + 1"));
}

TEST(Parser, DurationExpressions) {
  const auto range_text = [](std::string text) {
    const ExprPtr expr = parsed("a[" + text + "]");
    const auto* matrix = as<MatrixSelector>(*expr);
    return matrix->range.expr ? shape(*matrix->range.expr) : "no expression";
  };
  EXPECT_EQ(range_text("5m"), "no expression");
  EXPECT_EQ(range_text("5m * 2 + step()"), "5m * 2 + step()");
  EXPECT_EQ(range_text("-(1m) ^ 2"), "-(1m) ^ 2");
  EXPECT_EQ(range_text("Max_of(range(), (2m+1m)%7)"), "max_of(range(), (2m + 1m) % 7)");

  // After offset only what starts with a parenthesis goes on over operators.
  EXPECT_EQ(shape("a offset 5m * 2"), "(a offset 5m*2)");
  EXPECT_EQ(shape("a offset -2^2"), "(a offset -2s^2)");
  EXPECT_EQ(shape("a offset step() * 2"), "(a offset step()*2)");
  EXPECT_EQ(shape("a offset -(5m) * 2"), "(a offset -(5m)*2)");
  EXPECT_EQ(shape("a offset (5m) * 2"), "a offset (5m) * 2");
  EXPECT_EQ(shape("a offset min_of(1m, step())"), "a offset min_of(1m, step())");
  EXPECT_EQ(as<VectorSelector>(*parsed("a offset +-5m"))->offset.ms, -300'000);
}

TEST(Parser, CommentsAndBlanks) {
  EXPECT_EQ(to_string(*parsed("# first\n a # second\r\n\t+ # third\nb{# fourth\nx=\"#\"}")),
            "a + b{x=\"#\"}");
}

TEST(Parser, PositionsAreBytesOfTheQuery) {
  const ExprPtr expr = parsed(" sum(rate(a[5m])) / (b)");
  const auto* binary = as<BinaryExpr>(*expr);
  EXPECT_EQ(binary->position.start, 1U);
  EXPECT_EQ(binary->position.end, 23U);
  EXPECT_EQ(binary->lhs->position.end, 17U);
  const auto& rate = *as<Aggregation>(*binary->lhs)->expr;
  EXPECT_EQ(rate.position.start, 5U);
  EXPECT_EQ(rate.position.end, 16U);
  EXPECT_EQ(as<Call>(rate)->args[0]->position.start, 10U);
}

TEST(Parser, TypesOfExpressions) {
  EXPECT_EQ(type_of(*parsed("1 + pi()")), ValueType::kScalar);
  EXPECT_EQ(type_of(*parsed("-(a)")), ValueType::kVector);
  EXPECT_EQ(type_of(*parsed("1 + a")), ValueType::kVector);
  EXPECT_EQ(type_of(*parsed("'x'")), ValueType::kString);
  EXPECT_EQ(type_of(*parsed("a[5m]")), ValueType::kMatrix);
  EXPECT_EQ(type_of(*parsed("(a[5m:])")), ValueType::kMatrix);
  EXPECT_EQ(type_of(*parsed("scalar(a)")), ValueType::kScalar);
}

TEST(Parser, SelectorsAlone) {
  const auto text = [](std::string_view selector) {
    const auto matchers = parse_selector(selector);
    if (!matchers) return matchers.error().message;
    std::string out;
    for (const auto& matcher : *matchers) out += (out.empty() ? "" : " ") + matcher.to_string();
    return out;
  };
  EXPECT_EQ(text(" vllm:requests_total { } "), R"(__name__="vllm:requests_total")");
  EXPECT_EQ(text(R"(up{job="a",x!~`d\d`,})"), R"(job="a" x!~"d\\d" __name__="up")");
  EXPECT_EQ(text(R"({"http.status", "a b"="c"})"), R"(__name__="http.status" a b="c")");
  EXPECT_EQ(text(""), "unknown position: parse error: unexpected end of input");
  EXPECT_EQ(text("rate(up[5m])"), R"(1:5: parse error: unexpected "(")");
  EXPECT_EQ(text("up[5m]"), R"(1:3: parse error: unexpected "[")");
  EXPECT_EQ(text("{}"),
            "1:1: parse error: vector selector must contain at least one non-empty matcher");
  EXPECT_EQ(parse_selectors({"a", "b"})->size(), 2U);
  EXPECT_FALSE(parse_selectors({"a", "{x=~\".*\"}"}));
}

TEST(Parser, SeriesWrittenOut) {
  EXPECT_EQ(*parse_metric(R"(up{job="a", "x.y"='z',})"),
            (model::Labels{{"__name__", "up"}, {"job", "a"}, {"x.y", "z"}}));
  EXPECT_EQ(*parse_metric(R"({"quoted.name", a="b"})"),
            (model::Labels{{"__name__", "quoted.name"}, {"a", "b"}}));
  EXPECT_EQ(*parse_metric("{}"), model::Labels());
  EXPECT_EQ(parse_metric("up{a!=\"b\"}").error().message,
            R"(1:5: parse error: unexpected <op:!=> in label set, expected "=")");
  EXPECT_EQ(parse_metric("up{a=b}").error().message,
            R"(1:6: parse error: unexpected identifier "b" in label set, expected string)");
  EXPECT_EQ(parse_metric("up 1").error().message, R"(1:4: parse error: unexpected number "1")");
}

TEST(Parser, DurationsAlone) {
  EXPECT_EQ(*parse_promql_duration_ms("1h30m"), 5'400'000);
  EXPECT_EQ(*parse_promql_duration_ms("90"), 90'000);
  EXPECT_EQ(*parse_promql_duration_ms("1.5"), 1'500);
  EXPECT_FALSE(parse_promql_duration_ms("1m1h"));
  EXPECT_FALSE(parse_promql_duration_ms("5m 5m"));
  EXPECT_FALSE(parse_promql_duration_ms("1e30"));
  EXPECT_FALSE(parse_promql_duration_ms("-5m"));
}

TEST(Parser, NestingIsBounded) {
  const auto repeated = [](std::string_view part, size_t times) {
    std::string out;
    for (size_t i = 0; i < times; ++i) out += part;
    return out;
  };
  const ParseOptions ten{.experimental = true, .max_depth = 10};
  const auto deep = [&](const std::string& text) {
    const auto expr = parse(text, ten);
    return expr ? "fits" : expr.error().message;
  };
  const std::string refused = ": parse error: expression is nested more than 10 deep";
  EXPECT_EQ(deep(repeated("(", 9) + "1" + repeated(")", 9)), "fits");
  EXPECT_EQ(deep(repeated("(", 10) + "1" + repeated(")", 10)), "1:11" + refused);
  EXPECT_EQ(deep("1" + repeated("+1", 9)), "fits");
  EXPECT_EQ(deep("1" + repeated("+1", 10)), "1:1" + refused);
  EXPECT_EQ(deep("1" + repeated("^1", 10)), "1:21" + refused);
  EXPECT_EQ(deep(repeated("-", 10) + "a"), "1:11" + refused);
  EXPECT_EQ(deep("a[" + repeated("-(", 10) + "1" + repeated(")", 10) + "]").substr(4),
            ": parse error: expression is nested more than 10 deep");
  EXPECT_EQ(deep("a[1" + repeated("+1", 10) + "]"), "1:3" + refused);
  EXPECT_EQ(deep("a" + repeated("[1m:1m]", 10)).substr(0, 4), "1:1:");
  // Far beyond: no overflow of the stack, whatever is nested.
  for (const std::string_view part : {"(", "-", "sum(", "abs(", "a[1m:]+", "1^"})
    EXPECT_FALSE(parse(repeated(part, 100'000) + "1"));
  EXPECT_FALSE(parse(std::string((size_t{1} << 20) + 1, ' ')));
}

TEST(FunctionTable, IsSortedAndFindsEach) {
  std::string_view before;
  for (const FunctionSignature& function : all_functions()) {
    EXPECT_LT(before, function.name);
    EXPECT_EQ(find_function(function.name), &function);
    before = function.name;
  }
  EXPECT_EQ(find_function("Rate"), nullptr);
  EXPECT_EQ(find_function("sum"), nullptr);
  EXPECT_FALSE(find_function("first_over_time")->experimental);
  EXPECT_TRUE(find_function("info")->experimental);
  EXPECT_EQ(all_functions().size(), 90U);
}

}  // namespace
}  // namespace binnacle::query::promql
