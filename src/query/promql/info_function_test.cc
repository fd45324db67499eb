#include "query/promql/info_function.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "query/promql/function_fixture.h"
#include "query/promql/info_plan.h"

namespace binnacle::query::promql {
namespace {

using model::Matcher;
using model::MatchOp;

struct Asked {
  std::string name;
  MatchOp op;
  std::string value;
};

// info(base, {asked}) over a store of info rows; notes what was selected.
struct InfoCall {
  std::vector<Asked> asked;
  std::string selected;

  std::string operator()(std::vector<GivenRow> base, std::vector<GivenRow> store) {
    FunctionCall call("info", base.empty() ? 1 : base[0].values.size());
    call.call().args.push_back(std::make_unique<VectorSelector>());
    if (!asked.empty()) {
      auto selector = std::make_unique<VectorSelector>();
      for (const Asked& m : asked) {
        selector->matchers.push_back(*Matcher::create(m.op, m.name, m.value));
      }
      call.call().args.push_back(std::move(selector));
    }
    const auto select = [&](const model::Matchers& matchers) -> Result<RowSourcePtr> {
      for (const Matcher& matcher : matchers) selected += matcher.to_string() + " ";
      model::Matchers all = *info_matchers(call.call());
      all.insert(all.end(), matchers.begin(), matchers.end());
      std::erase_if(store,
                    [&](const GivenRow& row) { return !model::matches_all(all, row.labels); });
      return rows_of(store);
    };
    return call.print(info(call.call(), rows_of(std::move(base)), select, call.context()));
  }
};

GivenRow metric(std::vector<double> values, std::string_view instance = "a",
                std::string_view job = "1") {
  return {{{"__name__", "m"}, {"instance", instance}, {"job", job}, {"l", "v"}}, std::move(values)};
}

GivenRow target(std::string_view data, std::vector<double> times,
                std::string_view name = "target_info", std::string_view instance = "a",
                std::string_view job = "1") {
  return {{{"__name__", name}, {"instance", instance}, {"job", job}, {"data", data}, {"l", "w"}},
          std::move(times)};
}

TEST(Info, DataLabelsAreAdded) {
  InfoCall info;
  EXPECT_EQ(info({metric({1, 2}), metric({3, kNone}, "b")},
                 {target("x", {0, 60}), target("y", {0, 60}, "other")}),
            "m{data=\"x\", instance=\"a\", job=\"1\", l=\"v\"} 1 2\n"
            "m{instance=\"b\", job=\"1\", l=\"v\"} 3 _\n");
  EXPECT_NE(info.selected.find("job=~\"1\""), std::string::npos) << info.selected;
}

TEST(Info, LabelsComeAndGoWithTheInfoSeries) {
  EXPECT_EQ(InfoCall{}({metric({1, 2, kNone, 4})}, {target("x", {0, kNone, 0, 180})}),
            "m{data=\"x\", instance=\"a\", job=\"1\", l=\"v\"} 1 _ _ 4\n"
            "m{instance=\"a\", job=\"1\", l=\"v\"} _ 2 _ _\n");
}

TEST(Info, TheNewestInfoSampleHolds) {
  EXPECT_EQ(
      InfoCall{}({metric({1, 2, 3})}, {target("x", {0, 0, kNone}), target("y", {kNone, 60, 60})}),
      "m{data=\"x\", instance=\"a\", job=\"1\", l=\"v\"} 1 _ _\n"
      "m{data=\"y\", instance=\"a\", job=\"1\", l=\"v\"} _ 2 3\n");
}

TEST(Info, TwoOfTheSameTimeAreRefused) {
  EXPECT_EQ(InfoCall{}({metric({1})}, {target("x", {1.5}), target("y", {1.5})}),
            "found duplicate series for info metric: existing target_info{data=\"x\", "
            "instance=\"a\", job=\"1\", l=\"w\"} @ 1500, new target_info{data=\"y\", "
            "instance=\"a\", job=\"1\", l=\"w\"} @ 1500");
  // Not where there is nothing to enrich, or nothing of theirs.
  EXPECT_EQ(InfoCall{}({metric({kNone, 1})}, {target("x", {0, 1}), target("y", {0, kNone})}),
            "m{data=\"x\", instance=\"a\", job=\"1\", l=\"v\"} _ 1\n");
  EXPECT_EQ(InfoCall{}({metric({1}, "b")}, {target("x", {0}), target("y", {0})}),
            "m{instance=\"b\", job=\"1\", l=\"v\"} 1\n");
}

TEST(Info, OnlyTheLabelsAskedFor) {
  InfoCall info{{{"data", MatchOp::kRegex, "x.*"}}, ""};
  const GivenRow more{
      {{"__name__", "target_info"}, {"instance", "a"}, {"job", "1"}, {"data", "x1"}, {"b", "2"}},
      {0}};
  EXPECT_EQ(info({metric({1})}, {more, target("y", {0})}),
            "m{data=\"x1\", instance=\"a\", job=\"1\", l=\"v\"} 1\n");
  // The label must be there: rows without an info series go.
  EXPECT_EQ(info({metric({1}, "b"), metric({1})}, {more}),
            "m{data=\"x1\", instance=\"a\", job=\"1\", l=\"v\"} 1\n");
  InfoCall optional{{{"data", MatchOp::kRegex, ".*"}}, ""};
  EXPECT_EQ(optional({metric({1}, "b")}, {more}), "m{instance=\"b\", job=\"1\", l=\"v\"} 1\n");
}

TEST(Info, OtherInfoMetrics) {
  InfoCall named{{{"__name__", MatchOp::kRegex, ".+_info"}}, ""};
  EXPECT_EQ(named({metric({1})},
                  {target("x", {0}), target("x", {5}, "build_info"), target("y", {0}, "m2")}),
            "m{data=\"x\", instance=\"a\", job=\"1\", l=\"v\"} 1\n");
  EXPECT_EQ(named({metric({1})}, {target("x", {0}), target("y", {5}, "build_info")}),
            "conflicting label: data");
  InfoCall negative{{{"__name__", MatchOp::kNotEqual, "target_info"}}, ""};
  EXPECT_EQ(negative({metric({1})}, {target("x", {0}), target("y", {5}, "build_info")}),
            "m{data=\"y\", instance=\"a\", job=\"1\", l=\"v\"} 1\n");
}

TEST(Info, InfoSeriesAreNotEnriched) {
  InfoCall info;
  EXPECT_EQ(info({target("x", {1})}, {target("x", {0})}),
            "target_info{data=\"x\", instance=\"a\", job=\"1\", l=\"w\"} 1\n");
  EXPECT_EQ(info.selected, "");
}

// With a value of instance among the base rows, an info series must have one of those.
TEST(Info, IdentifyingLabels) {
  const GivenRow of_job{{{"__name__", "target_info"}, {"job", "1"}, {"data", "x"}}, {0}};
  EXPECT_EQ(InfoCall{}({metric({1}, "")}, {of_job}), "m{data=\"x\", job=\"1\", l=\"v\"} 1\n");
  EXPECT_EQ(InfoCall{}({metric({1}, ""), metric({1}, "b")}, {of_job}),
            "m{job=\"1\", l=\"v\"} 1\nm{instance=\"b\", job=\"1\", l=\"v\"} 1\n");
  EXPECT_EQ(InfoCall{}({metric({1}, "", "")}, {of_job}), "m{l=\"v\"} 1\n");
}

TEST(Info, RowsThatBecomeEqualAreRefusedWhereTheyOverlap) {
  const auto merged = [](double second) {
    return InfoCall{}(
        {{{{"job", "1"}}, {1, kNone}}, {{{"job", "1"}, {"data", "x"}}, {kNone, second}}},
        {{{{"__name__", "target_info"}, {"job", "1"}, {"data", "x"}}, {0, 0}}});
  };
  EXPECT_EQ(merged(2), "{data=\"x\", job=\"1\"} 1 2\n");
  const auto overlap =
      InfoCall{}({{{{"job", "1"}}, {1}}, {{{"job", "1"}, {"data", "x"}}, {1}}},
                 {{{{"__name__", "target_info"}, {"job", "1"}, {"data", "x"}}, {0}}});
  EXPECT_EQ(overlap, "vector cannot contain metrics with the same labelset");
}

TEST(Info, SelectsByTheValuesThatAreThere) {
  InfoCall info;
  info({metric({1}, "a.b")}, {});
  EXPECT_EQ(info.selected, "instance=~\"a\\\\.b\" job=~\"1\" ");
  std::vector<GivenRow> many;
  for (int i = 0; i < 1000; ++i) many.push_back(metric({1}, std::to_string(i)));
  InfoCall wide;
  const std::string rows = wide(many, {target("x", {0}, "target_info", "7")});
  EXPECT_EQ(wide.selected, "job=~\"1\" ");
  EXPECT_EQ(std::ranges::count(rows, '\n'), 1000);
  EXPECT_NE(rows.find("{data=\"x\", instance=\"7\","), std::string::npos);
  // Left out of the matchers, the values hold all the same.
  many.push_back(metric({1}, ""));
  const GivenRow of_job{{{"__name__", "target_info"}, {"job", "1"}, {"data", "x"}}, {0}};
  EXPECT_EQ(wide(many, {of_job}).find("data"), std::string::npos);
}

}  // namespace
}  // namespace binnacle::query::promql
