#include "query/promql/label_functions.h"

#include <gtest/gtest.h>

#include "query/promql/function_fixture.h"

namespace binnacle::query::promql {
namespace {

constexpr std::string_view kDuplicate = "vector cannot contain metrics with the same labelset";

std::string replaced(GivenRow row, const std::string& target, const std::string& replacement,
                     const std::string& source, const std::string& regex) {
  return FunctionCall("label_replace", 1)
      .vector({std::move(row)})
      .text(target)
      .text(replacement)
      .text(source)
      .text(regex)
      .rows();
}

std::string expanded(const std::string& replacement, const std::string& regex,
                     const std::string& value) {
  const std::string row = replaced({{{"s", value}}, {1}}, "d", replacement, "s", regex);
  const size_t from = row.find("{d=\"");
  return from == std::string::npos ? "" : row.substr(4, row.find('"', 4) - 4);
}

TEST(LabelReplace, ExpandsGroupsAsGoDoes) {
  EXPECT_EQ(expanded("x-$1", "a(.*)", "abc"), "x-bc");
  EXPECT_EQ(expanded("$1-$2", "(a*)(b*)", "aabb"), "aa-bb");
  EXPECT_EQ(expanded("${1}x$1x", "(a*)", "aa"), "aax");
  EXPECT_EQ(expanded("$name!${name}", "(?P<name>a*)", "aa"), "aa!aa");
  EXPECT_EQ(expanded("$$1 $ ${ ${} ${1 $-", "(a*)", "aa"), "$1 $ ${ ${} ${1 $-");
  EXPECT_EQ(expanded("[$0][$01][$9][$2]", "(a)|(b)", "a"), "[a][][][]");
  EXPECT_EQ(expanded("x$99999999999999999999", "a", "a"), "x");
  EXPECT_EQ(expanded("$é.", "a", "a"), ".");
  EXPECT_EQ(expanded("[$1]", "(?s:a(.)b)", "a\nb"), "[\\n]");  // as printed
}

TEST(LabelReplace, TheRegexTakesTheWholeValue) {
  EXPECT_EQ(replaced({{{"s", "abc"}}, {1}}, "d", "x", "s", "b"), "{s=\"abc\"} 1\n");
  EXPECT_EQ(replaced({{{"s", "ab"}}, {1}}, "d", "x", "s", "a|ab"), "{d=\"x\", s=\"ab\"} 1\n");
  EXPECT_EQ(replaced({{{"s", "ab"}}, {1}}, "d", "x$1", "none", "(.*)"), "{d=\"x\", s=\"ab\"} 1\n");
  EXPECT_EQ(replaced({{{"s", "ab"}}, {1}}, "s", "", "s", ".*"), "{} 1\n");
}

TEST(LabelReplace, AReplacedNameStays) {
  const GivenRow row{{{"__name__", "up"}}, {1}, true};
  EXPECT_EQ(replaced(row, "__name__", "rate_$1", "__name__", "(.*)"), "rate_up 1\n");
  EXPECT_EQ(replaced(row, "__name__", "rate_$1", "__name__", "down"), "up drop 1\n");
  EXPECT_EQ(replaced(row, "a", "$1", "__name__", "(.*)"), "up{a=\"up\"} drop 1\n");
}

TEST(LabelReplace, Errors) {
  const GivenRow row{{{"s", "a"}}, {1}};
  EXPECT_EQ(replaced(row, "d", "x", "s", "(.*"),
            "invalid regular expression in label_replace(): (.*");
  EXPECT_EQ(replaced(row, "\xff", "x", "s", ".*"),
            "invalid destination label name in label_replace(): \xff");
  EXPECT_EQ(replaced(row, "", "x", "s", ".*"),
            "invalid destination label name in label_replace(): ");
}

TEST(LabelReplace, RowsThatBecomeEqualAreOneWhereTheyDoNotOverlap) {
  const auto merged = [](std::vector<double> second) {
    return FunctionCall("label_replace", 3)
        .vector({{{{"i", "1"}}, {1, kNone, kNone}}, {{{"i", "2"}}, std::move(second)}})
        .text("i")
        .text("x")
        .text("i")
        .text(".*")
        .rows();
  };
  EXPECT_EQ(merged({kNone, 2, kNone}), "{i=\"x\"} 1 2 _\n");
  EXPECT_EQ(merged({2, 2, kNone}), kDuplicate);
}

TEST(LabelJoin, JoinsInTheOrderGiven) {
  const auto joined = [](std::vector<std::string> sources, const std::string& target = "d") {
    FunctionCall call("label_join", 1);
    call.vector({{{{"__name__", "up"}, {"a", "1"}, {"b", "2"}, {"d", "3"}}, {7}, true}});
    call.text(target).text("-");
    for (std::string& source : sources) call.text(std::move(source));
    return call.rows();
  };
  EXPECT_EQ(joined({"b", "a", "none", "b"}), "up{a=\"1\", b=\"2\", d=\"2-1--2\"} drop 7\n");
  EXPECT_EQ(joined({"none"}), "up{a=\"1\", b=\"2\"} drop 7\n");
  EXPECT_EQ(joined({}), "up{a=\"1\", b=\"2\"} drop 7\n");
  EXPECT_EQ(joined({"a", "b"}, "__name__"), "{\"1-2\", a=\"1\", b=\"2\", d=\"3\"} 7\n");
  EXPECT_EQ(joined({"a", "\xff"}), "invalid source label name in label_join(): \xff");
  EXPECT_EQ(joined({"a"}, ""), "invalid destination label name in label_join(): ");
}

TEST(LabelJoin, RowsThatOverlapAreRefused) {
  EXPECT_EQ(FunctionCall("label_join", 1)
                .vector({{{{"i", "1"}}, {1}}, {{{"i", "2"}}, {1}}})
                .text("i")
                .text("")
                .text("none")
                .rows(),
            kDuplicate);
}

TEST(LabelFunctions, WhatIsHeldIsGivenBack) {
  FunctionCall call("label_join", 1000);
  call.vector({{{{"i", "1"}}, std::vector<double>(1000, 1)}}).text("d").text("").text("i");
  call.rows();
  EXPECT_GT(call.meter().peak_bytes(), 8000U);
  EXPECT_TRUE(call.meter().charge_bytes(call.meter().limits().max_bytes).has_value());
}

}  // namespace
}  // namespace binnacle::query::promql
