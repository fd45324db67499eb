#include "query/promql/printer.h"

#include <gtest/gtest.h>

#include "query/promql/parser.h"

namespace binnacle::query::promql {
namespace {

std::string printed(std::string_view text, bool lines = false) {
  const auto expr = parse(text, {.experimental = true});
  if (!expr) return expr.error().message;
  const std::string once = to_string(**expr);
  const auto again = parse(once, {.experimental = true});
  EXPECT_TRUE(again && to_string(**again) == once) << once;
  return lines ? pretty(**expr) : once;
}

TEST(Printer, WritesInOneWay) {
  EXPECT_EQ(printed("sum  by()(a)"), "sum(a)");
  EXPECT_EQ(printed("sum without ()(a)"), "sum without () (a)");
  EXPECT_EQ(printed("topk(5,a)by(x,'y.z')"), R"(topk by (x, "y.z") (5, a))");
  EXPECT_EQ(printed("count_values('v',a)"), R"(count_values("v", a))");
  EXPECT_EQ(printed("a-on()b"), "a - on () b");
  EXPECT_EQ(printed("a*ignoring()b"), "a * b");
  EXPECT_EQ(printed("a*ignoring()group_left b"), "a * ignoring () group_left () b");
  EXPECT_EQ(printed("a>bool on(x)group_right(y,'k-l')b"),
            R"(a > bool on (x) group_right (y, "k-l") b)");
  EXPECT_EQ(printed("a + fill(1e6) b"), "a + fill (1e+06) b");
  EXPECT_EQ(printed("a + fill_right(2) fill_left(1) b"), "a + fill_left (1) fill_right (2) b");
  EXPECT_EQ(printed("- (a)"), "-(a)");
  EXPECT_EQ(printed("sum by ('without', 'NaN') (a)"), R"(sum by ("without", "NaN") (a))");
}

TEST(Printer, Selectors) {
  EXPECT_EQ(printed("a{}"), "a");
  EXPECT_EQ(printed("a{z='1',b!='2',c=~'3',d!~'4'}"), R"(a{b!="2",c=~"3",d!~"4",z="1"})");
  EXPECT_EQ(printed("{'a.b','c.d'='e'}"), R"({"c.d"="e",__name__="a.b"})");
  EXPECT_EQ(printed("{__name__='a'}"), R"({__name__="a"})");
  EXPECT_EQ(printed("a offset 90s @ 1.5"), "a @ 1.500 offset 1m30s");
  EXPECT_EQ(printed("a[60] offset -1h @ end() anchored"), "a[1m] anchored @ end() offset -1h");
  EXPECT_EQ(printed("a smoothed @ start() offset 1m"), "a @ start() smoothed offset 1m");
  EXPECT_EQ(printed("a[5m:] offset 1w"), "a[5m:] offset 1w");
  EXPECT_EQ(printed("a[8d:1h] @ 0"), "a[8d:1h] @ 0.000");
  EXPECT_EQ(printed("info(a, {})"), "info(a, {})");
}

TEST(Printer, Literals) {
  EXPECT_EQ(printed("0x10"), "16");
  EXPECT_EQ(printed("1e23"), "100000000000000000000000");
  EXPECT_EQ(printed("0.00015"), "0.00015");
  EXPECT_EQ(printed("12345.678"), "12345.678");
  EXPECT_EQ(printed("-0"), "-0");
  EXPECT_EQ(printed("inf"), "+Inf");
  EXPECT_EQ(printed("inf ^ inf"), "Inf ^ +Inf");
  EXPECT_EQ(printed("-inf"), "-Inf");
  EXPECT_EQ(printed("nan"), "NaN");
  EXPECT_EQ(printed("60m"), "1h");
  EXPECT_EQ(printed("-1500ms"), "-1s500ms");
  EXPECT_EQ(printed(R"('it\'s "\x41\u00e9\n\x01')"), "\"it's \\\"A\xC3\xA9\\n\\x01\"");
  EXPECT_EQ(printed(R"("\xff\ufffd")"), R"("\xff\ufffd")");
}

TEST(Printer, DurationExpressions) {
  EXPECT_EQ(printed("a[ (5m)*2 +step( ) ]"), "a[(5m) * 2 + step()]");
  EXPECT_EQ(printed("a[1h:min_of(step(),1m)^1]"), "a[1h:min_of(step(), 1m) ^ 1]");
  EXPECT_EQ(printed("a offset -(5m)"), "a offset -(5m)");
  EXPECT_EQ(printed("a offset (1h - range())"), "a offset (1h - range())");
  // What an operator would tear off is put in parentheses.
  EXPECT_EQ(printed("a offset --5m * 2"), "a offset (5m * 2)");
  EXPECT_EQ(printed("a offset -+(5m) * 2"), "a offset (-(5m) * 2)");
  EXPECT_EQ(printed("a offset --(5m) * 2"), "a offset --(5m) * 2");
}

TEST(Printer, LongExpressionsAreBroken) {
  const std::string name(60, 'n');
  EXPECT_EQ(printed("sum by (x) (" + name + ")", true), "sum by (x) (" + name + ")");
  const std::string sum = name + "{a=\"b\"} + " + name;
  EXPECT_EQ(printed(sum, true), "  " + name + "{a=\"b\"}\n+\n  " + name);
  EXPECT_EQ(
      printed("quantile(0.9, abs(" + sum + "))", true),
      "quantile(\n  0.9,\n  abs(\n      " + name + "{a=\"b\"}\n    +\n      " + name + "\n  )\n)");
  EXPECT_EQ(printed("-(" + sum + ")", true),
            "-(\n    " + name + "{a=\"b\"}\n  +\n    " + name + "\n)");
  EXPECT_EQ(printed("(" + sum + ")[5m:] @ 1", true),
            "(\n    " + name + "{a=\"b\"}\n  +\n    " + name + "\n)[5m:] @ 1.000");
  EXPECT_EQ(printed("Inf ^ " + name + name, true), "  Inf\n^\n  " + name + name);
  EXPECT_EQ(printed("clamp(" + sum + ", 1, 2)", true),
            "clamp(\n    " + name + "{a=\"b\"}\n  +\n    " + name + ",\n  1,\n  2\n)");
}

TEST(Printer, DurationText) {
  EXPECT_EQ(duration_text(0), "0s");
  EXPECT_EQ(duration_text(5'400'000), "1h30m");
  EXPECT_EQ(duration_text(31'536'000'000), "1y");
  EXPECT_EQ(duration_text(-90'001), "-1m30s1ms");
}

}  // namespace
}  // namespace binnacle::query::promql
