#include "watch/rules/group_evaluator.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "watch/rules/testing/rule_bench.h"

namespace binnacle::watch::rules {
namespace {

using Samples = std::map<std::string, std::string>;

const model::Labels kUpA{{"__name__", "up"}, {"instance", "a"}};
const model::Labels kUpB{{"__name__", "up"}, {"instance", "b"}};

class GroupEvaluatorTest : public testing::Test {
 protected:
  void up(const model::Labels& labels, double value, int64_t seconds) {
    bench_.write(labels, value, seconds);
  }
  RuleBench bench_;
};

TEST_F(GroupEvaluatorTest, RecordsInOrderWithTheLabelsOfRuleAndGroup) {
  const auto group = bench_.group(R"(groups:
- name: g
  labels: {team: a, kind: group}
  rules:
  - {record: "x", expr: up, labels: {kind: rule, instance: z}}
  - {record: "y", expr: x * 2}
)");
  up(kUpA, 3, 0);
  group->evaluate(bench_.at(1));
  EXPECT_EQ(bench_.samples("y", 1),
            (Samples{{R"(y{instance="z", kind="group", team="a"})", "6.000000"}}));
}

TEST_F(GroupEvaluatorTest, AScalarIsASeriesWithoutLabels) {
  const auto group = bench_.group("groups: [{name: g, rules: [{record: x, expr: '7'}]}]");
  group->evaluate(bench_.at(1));
  EXPECT_EQ(bench_.samples("x", 1), (Samples{{"x", "7.000000"}}));
}

TEST_F(GroupEvaluatorTest, SeriesThatVanishEnd) {
  const auto group = bench_.group("groups: [{name: g, rules: [{record: x, expr: up > 0}]}]");
  up(kUpA, 1, 0);
  group->evaluate(bench_.at(1));
  up(kUpA, 0, 10);
  group->evaluate(bench_.at(11));
  EXPECT_EQ(bench_.samples("x", 11), (Samples{{R"(x{instance="a"})", "stale"}}));
  group->evaluate(bench_.at(12));
  EXPECT_TRUE(bench_.samples("x", 12).empty());
}

TEST_F(GroupEvaluatorTest, EqualSeriesAfterLabellingAreAnError) {
  const auto group =
      bench_.group("groups: [{name: g, rules: [{record: x, expr: up, labels: {instance: one}}]}]");
  up(kUpA, 1, 0);
  up(kUpB, 1, 0);
  group->evaluate(bench_.at(1));
  const RuleStatus status = group->status().rules[0];
  EXPECT_EQ(status.health, RuleHealth::kBad);
  EXPECT_NE(status.last_error.find("same labelset after applying rule labels"), std::string::npos);
  EXPECT_TRUE(bench_.samples("x", 1).empty());
}

TEST_F(GroupEvaluatorTest, TheLimitRefusesWhatIsBeyondIt) {
  const auto group = bench_.group("groups: [{name: g, limit: 1, rules: [{record: x, expr: up}]}]");
  up(kUpA, 1, 0);
  up(kUpB, 1, 0);
  group->evaluate(bench_.at(1));
  EXPECT_EQ(group->status().rules[0].last_error, "exceeded limit of 1 with 2 series");
}

TEST_F(GroupEvaluatorTest, TheQueryOffsetLooksBackAndWritesThere) {
  const auto group =
      bench_.group("groups: [{name: g, query_offset: 1m, rules: [{record: x, expr: up}]}]");
  up(kUpA, 1, 0);
  up(kUpA, 2, 100);
  group->evaluate(bench_.at(110));
  EXPECT_EQ(bench_.samples("x", 50), (Samples{{R"(x{instance="a"})", "1.000000"}}));
}

constexpr std::string_view kDown = R"(groups:
- name: g
  interval: 60s
  rules:
  - alert: Down
    expr: up == 0
    for: 1m
    labels: {severity: page}
    annotations: {summary: it is down}
)";

TEST_F(GroupEvaluatorTest, AnAlertHasItsSeriesFromPendingToItsEnd) {
  const auto group = bench_.group(kDown);
  up(kUpA, 0, 0);
  group->evaluate(bench_.at(0));
  EXPECT_EQ(
      bench_.samples("ALERTS", 0),
      (Samples{{R"(ALERTS{alertname="Down", alertstate="pending", instance="a", severity="page"})",
                "1.000000"}}));
  EXPECT_EQ(bench_.samples("ALERTS_FOR_STATE", 0),
            (Samples{{R"(ALERTS_FOR_STATE{alertname="Down", instance="a", severity="page"})",
                      "1700000000.000000"}}));
  EXPECT_TRUE(bench_.told.empty());
  up(kUpA, 0, 60);
  group->evaluate(bench_.at(60));
  EXPECT_EQ(
      bench_.samples("ALERTS", 60),
      (Samples{{R"(ALERTS{alertname="Down", alertstate="firing", instance="a", severity="page"})",
                "1.000000"},
               {R"(ALERTS{alertname="Down", alertstate="pending", instance="a", severity="page"})",
                "stale"}}));
  ASSERT_EQ(bench_.told.size(), 1u);
  EXPECT_EQ(bench_.told[0].starts_at_ms, bench_.at(60));
  EXPECT_EQ(bench_.told[0].ends_at_ms, bench_.at(60 + 240));
  EXPECT_EQ(bench_.told[0].annotations.get("summary"), "it is down");
  EXPECT_EQ(bench_.told[0].generator_url, "/graph?g0.expr=up+%3D%3D+0&g0.tab=1");
  up(kUpA, 1, 120);
  group->evaluate(bench_.at(120));
  ASSERT_EQ(bench_.told.size(), 2u);
  EXPECT_EQ(bench_.told[1].ends_at_ms, bench_.at(120));
  EXPECT_EQ(bench_.samples("ALERTS_FOR_STATE", 120).begin()->second, "stale");
}

TEST_F(GroupEvaluatorTest, WhatTheRouterRefusedIsToldAtTheNextEvaluation) {
  const auto group = bench_.group(kDown);
  up(kUpA, 0, 0);
  group->evaluate(bench_.at(0));
  bench_.router_takes = false;
  group->evaluate(bench_.at(60));
  EXPECT_TRUE(bench_.told.empty());
  bench_.router_takes = true;
  group->evaluate(bench_.at(61));
  EXPECT_EQ(bench_.told.size(), 1u);
}

TEST_F(GroupEvaluatorTest, AlertsAreToldThoughTheirSeriesAreRefused) {
  const auto group = bench_.group("groups: [{name: g, rules: [{alert: Now, expr: vector(1)}]}]");
  group->evaluate(bench_.at(7'200'000));  // far ahead of the clock: the store refuses that
  EXPECT_EQ(group->status().rules[0].health, RuleHealth::kBad);
  EXPECT_EQ(bench_.told.size(), 1u);
}

TEST_F(GroupEvaluatorTest, TemplatesSeeTheElementAndMayAsk) {
  bench_.settings.external_labels = model::Labels{{"dc", "x"}};
  bench_.expand = [](const TemplateRun& run) -> Result<std::string> {
    if (run.text == "{{bad}}") return fail(Code::kInvalidArgument, "no function bad");
    TRY_ASSIGN(const auto asked, run.query("up * 5"));
    return fmt::format("{} {} {} {} {}", run.rule, run.labels.to_string(), run.value,
                       asked[0].value, run.external_labels.get("dc"));
  };
  const auto group = bench_.group(
      "groups: [{name: g, rules: [{alert: A, expr: up, labels: {l: '{{x}}'},"
      " annotations: {s: '{{bad}}'}}]}]");
  up(kUpA, 3, 0);
  group->evaluate(bench_.at(0));
  const ActiveAlert alert = group->status().rules[0].alerts.at(0);
  EXPECT_EQ(alert.labels.get("l"), R"(A up{instance="a"} 3 15 x)");
  EXPECT_EQ(alert.annotations.get("s"), "<error expanding template: no function bad>");
}

TEST_F(GroupEvaluatorTest, AFiringAlertGoesOnUntilItIsClear) {
  const auto group = bench_.group(R"(groups:
- name: g
  rules:
  - {alert: Hot, expr: up > 90, x-clear: up > 70}
)");
  const auto state_at = [&](double value, int64_t seconds) {
    up(kUpA, value, seconds);
    group->evaluate(bench_.at(seconds));
    return std::string(alert_state_name(group->status().rules[0].state));
  };
  EXPECT_EQ(state_at(80, 0), "inactive");
  EXPECT_EQ(state_at(95, 10), "firing");
  EXPECT_EQ(state_at(80, 20), "firing");
  EXPECT_EQ(group->status().rules[0].alerts[0].value, 80);
  EXPECT_EQ(state_at(60, 30), "inactive");
  EXPECT_EQ(state_at(80, 40), "inactive");
}

TEST_F(GroupEvaluatorTest, AReloadKeepsAlertsAndEndsWhatIsGone) {
  const auto before = bench_.group(R"(groups:
- name: g
  rules:
  - {record: gone, expr: up}
  - {alert: Down, expr: up == 0, for: 1m}
)");
  const auto after = bench_.group(R"(groups:
- name: g
  rules:
  - {alert: Down, expr: up < 1, for: 2m}
)");
  up(kUpA, 0, 0);
  before->evaluate(bench_.at(0));
  EXPECT_FALSE(after->same_as(*before));
  after->take_over(*before);
  after->evaluate(bench_.at(60));
  EXPECT_EQ(after->status().rules[0].alerts.at(0).active_at_ms, bench_.at(0));
  EXPECT_EQ(bench_.samples("gone", 60), (Samples{{R"(gone{instance="a"})", "stale"}}));
}

TEST_F(GroupEvaluatorTest, AlertsForStateGivesBackSinceWhen) {
  const std::string_view yaml =
      "groups: [{name: g, rules: [{alert: Down, expr: up == 0, for: 30m}]}]";
  up(kUpA, 0, 0);
  const auto before = bench_.group(yaml);
  before->evaluate(bench_.at(0));
  up(kUpA, 0, 600);
  before->evaluate(bench_.at(600));
  // Away for two minutes: ten of thirty minutes have passed, two do not count.
  up(kUpA, 0, 720);
  const auto after = bench_.group(yaml);
  after->await_restore();
  after->evaluate(bench_.at(720));
  EXPECT_TRUE(bench_.samples("ALERTS_FOR_STATE", 720).empty());
  after->restore_from_series(bench_.at(720));
  EXPECT_EQ(after->status().rules[0].alerts.at(0).active_at_ms, bench_.at(120));
  after->evaluate(bench_.at(721));
  EXPECT_FALSE(bench_.samples("ALERTS_FOR_STATE", 721).empty());
}

TEST_F(GroupEvaluatorTest, StoredAlertsComeBackExactly) {
  const auto before = bench_.group(kDown);
  up(kUpA, 0, 0);
  before->evaluate(bench_.at(0));
  up(kUpA, 0, 60);
  before->evaluate(bench_.at(60));
  const auto rows = before->changes();
  ASSERT_EQ(rows.size(), 1u);
  const auto after = bench_.group(kDown);
  ASSERT_TRUE(after->restore(rows[0].rule, *rows[0].alert.now));
  EXPECT_FALSE(after->restore("another", *rows[0].alert.now));
  EXPECT_EQ(after->status().rules[0].alerts.at(0), before->status().rules[0].alerts.at(0));
  bench_.told.clear();
  after->evaluate(bench_.at(61));
  EXPECT_TRUE(bench_.told.empty());  // it was told a second ago
}

}  // namespace
}  // namespace binnacle::watch::rules
