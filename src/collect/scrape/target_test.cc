#include "collect/scrape/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace binnacle::collect::scrape {
namespace {

using model::Labels;
using model::RelabelAction;
using model::RelabelRule;
using model::RelabelSpec;
using testing::ElementsAre;
using testing::HasSubstr;

JobConfig job() {
  JobConfig config;
  config.job_name = "node";
  config.interval_ms = 15'000;
  config.timeout_ms = 10'000;
  return config;
}

RelabelRule rule(RelabelSpec spec) { return RelabelRule::create(std::move(spec)).value(); }

Target make(const JobConfig& config, const Labels& target, const Labels& group = {}) {
  auto made = make_target(config, discovered_labels(config, target, group));
  EXPECT_TRUE(made && *made);
  return made && *made ? **made : Target{};
}

std::string error(const JobConfig& config, const Labels& target) {
  const auto made = make_target(config, discovered_labels(config, target, {}));
  return made ? "no error" : made.error().message;
}

TEST(Target, HasTheJobsWaysAndInstance) {
  const Target target = make(job(), {{"__address__", "a:9100"}, {"zone", "1"}},
                             {{"zone", "2"}, {"rack", "r"}, {"__meta_x", "y"}});
  EXPECT_EQ(target.labels.to_string(), R"({instance="a:9100", job="node", rack="r", zone="1"})");
  EXPECT_EQ(
      target.discovered.to_string(),
      R"({__address__="a:9100", __meta_x="y", __metrics_path__="/metrics", __scheme__="http", )"
      R"(__scrape_interval__="15s", __scrape_timeout__="10s", job="node", rack="r", zone="1"})");
  EXPECT_EQ(target.url, "http://a:9100/metrics");
  EXPECT_EQ(target.interval_ms, 15'000);
  EXPECT_EQ(target.timeout_ms, 10'000);
}

TEST(Target, AddsNoPort) {
  EXPECT_EQ(make(job(), {{"__address__", "a"}}).url, "http://a/metrics");
  EXPECT_EQ(make(job(), {{"__address__", "a"}, {"__scheme__", "https"}}).url, "https://a/metrics");
  EXPECT_EQ(make(job(), {{"__address__", "[::1]:80"}}).labels.get("instance"), "[::1]:80");
}

TEST(Target, LabelsMayRuleItsWays) {
  JobConfig config = job();
  config.params = {{"module", "one"}, {"module", "two"}, {"x", "a b"}};
  const Target plain = make(config, {{"__address__", "a:1"}});
  EXPECT_EQ(plain.url, "http://a:1/metrics?module=one&module=two&x=a%20b");
  const Target ruled = make(config, {{"__address__", "a:1"},
                                     {"__metrics_path__", "probe it"},
                                     {"__param_module", "three"},
                                     {"__param_target", "http://b/"},
                                     {"__scrape_interval__", "1m"},
                                     {"__scrape_timeout__", "5s"},
                                     {"job", "other"},
                                     {"instance", "i"}});
  EXPECT_EQ(ruled.url,
            "http://a:1/probe%20it?module=three&module=two&target=http%3A%2F%2Fb%2F&x=a%20b");
  EXPECT_EQ(ruled.interval_ms, 60'000);
  EXPECT_EQ(ruled.timeout_ms, 5'000);
  EXPECT_EQ(ruled.labels.to_string(), R"({instance="i", job="other"})");
}

TEST(Target, RelabellingSeesMetaLabelsAndMayMoveOrDropIt) {
  JobConfig config = job();
  config.relabel = {
      rule({.source_labels = {"__meta_port"},
            .regex = "(\\d+)",
            .target_label = "__address__",
            .replacement = "b:$1"}),
      rule({.source_labels = {"__address__"}, .regex = "b:2", .action = RelabelAction::kDrop})};
  EXPECT_EQ(make(config, {{"__address__", "a:1"}, {"__meta_port", "7"}}).url, "http://b:7/metrics");
  const auto dropped = make_target(
      config, discovered_labels(config, Labels{{"__address__", "a:1"}, {"__meta_port", "2"}}, {}));
  ASSERT_TRUE(dropped);
  EXPECT_FALSE(*dropped);
}

TEST(Target, WhatCannotBeScrapedIsNamed) {
  EXPECT_EQ(error(job(), {{"x", "y"}}), "no address");
  EXPECT_EQ(error(job(), {{"__address__", "http://a/"}}), "\"http://a/\" is not a valid hostname");
  const auto with = [](std::string_view name, std::string_view value) {
    return error(job(), {{"__address__", "a"}, {name, value}});
  };
  EXPECT_THAT(with("__scrape_interval__", "x"), HasSubstr("scrape interval: "));
  EXPECT_EQ(with("__scrape_timeout__", "0s"), "scrape timeout cannot be 0");
  EXPECT_EQ(with("__scrape_timeout__", "16s"),
            "scrape timeout cannot be greater than scrape interval (16s > 15s)");
}

TEST(TargetSet, KeepsEachTargetOnceAndSomeOfTheDropped) {
  JobConfig config = job();
  config.keep_dropped_targets = 1;
  config.relabel = {
      rule({.source_labels = {"drop"}, .regex = "yes", .action = RelabelAction::kDrop})};
  const std::vector<model::TargetGroup> groups = {
      {"one", {Labels{{"__address__", "a"}}, Labels{{"__address__", "a"}, {"__meta_x", "y"}}}, {}},
      {"two",
       {Labels{{"__address__", "b"}}, Labels{{"__address__", "c"}, {"drop", "yes"}},
        Labels{{"__address__", "d"}, {"drop", "yes"}}, Labels{}},
       {}}};
  const TargetSet set = make_targets(config, groups);
  ASSERT_EQ(set.active.size(), 2u);
  EXPECT_NE(set.active[0].identity, set.active[1].identity);
  EXPECT_EQ(set.dropped_count, 2u);
  ASSERT_EQ(set.dropped.size(), 1u);
  EXPECT_EQ(set.dropped[0].get("__address__"), "c");
  EXPECT_THAT(set.problems, ElementsAre("target 3 of two: no address"));
}

}  // namespace
}  // namespace binnacle::collect::scrape
