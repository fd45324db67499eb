#include "watch/rules/unit_test_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "watch/rules/testing/unit_test_bench.h"

namespace binnacle::watch::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::string_view kRules = R"(groups:
- name: record
  rules:
  - {record: "job:up", expr: sum by (job) (up)}
- name: alert
  rules:
  - alert: Down
    expr: up == 0
    for: 2m
    labels: {severity: critical}
    annotations: {summary: "gone", more: "text"}
)";

class UnitTestRunTest : public testing::Test {
 protected:
  std::vector<UnitTestFailure> run(std::string_view yaml, std::string_view rules = kRules) {
    const auto groups = read_rule_file(rules, "r.yml");
    EXPECT_TRUE(groups) << groups.error().message;
    return run_first_test(yaml, *groups);
  }
};

constexpr std::string_view kDown = R"(tests:
- input_series:
  - {series: 'up{job="a"}', values: '1 1 0x10'}
  alert_rule_test:
)";

TEST_F(UnitTestRunTest, AnAlertFiresWhenItsTimeIsOver) {
  EXPECT_THAT(run(std::string(kDown) + "  - {eval_time: 3m, alertname: Down}\n"), SizeIs(0));
  EXPECT_THAT(run(std::string(kDown) + R"(  - eval_time: 4m30s
    alertname: Down
    exp_alerts:
    - {exp_labels: {job: a, severity: critical}, exp_annotations: {summary: gone, more: text}}
)"),
              SizeIs(0));
}

TEST_F(UnitTestRunTest, WhatDiffersIsTold) {
  const auto failures = run(std::string(kDown) + R"(  - eval_time: 4m
    alertname: Down
    exp_alerts:
    - {exp_labels: {job: a, severity: critical}, exp_annotations: {summary: here, more: text}}
    - {exp_labels: {job: b}}
)");
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].line, 5);
  EXPECT_EQ(failures[0].what, "alert Down at 4m");
  EXPECT_THAT(failures[0].diff, ElementsAre(R"(  {alertname="Down", job="a", severity="critical"})",
                                            "-     summary: here", "+     summary: gone",
                                            R"(- {alertname="Down", job="b"})"));
}

TEST_F(UnitTestRunTest, ExpressionsSeeWhatRulesRecorded) {
  const auto failures = run(R"y(tests:
- interval: 30s
  start_timestamp: 2026-01-02T03:04:05Z
  input_series:
  - {series: 'up{job="a",instance="1"}', values: '1+1x10'}
  - {series: 'up{job="a",instance="2"}', values: '1 _ stale'}
  promql_expr_test:
  - {expr: "job:up", eval_time: 1m, exp_samples: [{labels: 'job:up{job="a"}', value: 3}]}
  - {expr: "time()", eval_time: 1m, exp_samples: [{labels: '{}', value: 1767323105}]}
  - {expr: "job:up", eval_time: 0m, exp_samples: [{labels: 'job:up{job="a"}', value: 5}]}
  - {expr: "up[5m]", eval_time: 1m}
  - {expr: "up +", eval_time: 1m}
)y");
  ASSERT_THAT(failures, SizeIs(3));
  EXPECT_THAT(failures[0].diff, ElementsAre(R"(- job:up{job="a"} 5)", R"(+ job:up{job="a"} 2)"));
  EXPECT_THAT(failures[1].problem, HasSubstr("neither a vector nor a scalar"));
  EXPECT_THAT(failures[2].problem, HasSubstr("parse error"));
}

TEST_F(UnitTestRunTest, NumbersBesideEachOtherAreEqualWhereAsked) {
  constexpr std::string_view kTests = R"(tests:
- input_series: [{series: up, values: '0.1'}]
  promql_expr_test:
  - {expr: "up * 3", eval_time: 0m, exp_samples: [{labels: '{}', value: 0.3}]}
)";
  EXPECT_THAT(run(kTests), SizeIs(1));
  EXPECT_THAT(run("fuzzy_compare: true\n" + std::string(kTests)), SizeIs(0));
}

TEST_F(UnitTestRunTest, GroupsGoInTheOrderThatIsAsked) {
  constexpr std::string_view kTwo = R"(groups:
- {name: second, rules: [{record: y, expr: x}]}
- {name: first, rules: [{record: x, expr: up}]}
)";
  constexpr std::string_view kTests = R"(tests:
- input_series: [{series: up, values: '7'}]
  promql_expr_test:
  - {expr: "y", eval_time: 0m, exp_samples: [{labels: 'y', value: 7}]}
)";
  EXPECT_THAT(run(kTests, kTwo), SizeIs(1));
  EXPECT_THAT(run("group_eval_order: [first, second]\n" + std::string(kTests), kTwo), SizeIs(0));
}

TEST_F(UnitTestRunTest, ARuleThatCannotBeEvaluatedEndsTheTest) {
  const auto failures =
      run(R"(tests:
- input_series:
  - {series: 'up{job="a"}', values: '1'}
  - {series: 'up{job="b"}', values: '1'}
  alert_rule_test: [{eval_time: 5m, alertname: Down}]
)",
          "groups: [{name: g, rules: [{record: x, expr: up, labels: {job: c}}]}]");
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].what, "rule x at 0s");
  EXPECT_THAT(failures[0].problem, HasSubstr("same labelset"));
}

TEST(UnitTestsTest, ProblemsComeWithTheirLines) {
  const auto file = read_unit_tests(R"(tests:
- input_series: [{series: 'up{', values: '1'}]
  alert_rule_test: [{eval_time: soon}]
  promql_expr_test:
  - {expr: up, eval_time: 1m, exp_samples: [{labels: '{a=}', value: 1}]}
  - {expr: up, eval_time: 1m, exp_samples: [{labels: '{}', histogram: '{{}}'}]}
group_eval_order: [a, a]
unknown: 1
)",
                                    "t.yml");
  ASSERT_FALSE(file);
  for (const std::string_view part :
       {"t.yml:2", "no closing }", "eval_time", "needs an alertname", "t.yml:5",
        "native histograms are not supported", "repeated in group_eval_order", "unknown"})
    EXPECT_THAT(file.error().message, HasSubstr(part));
}

}  // namespace
}  // namespace binnacle::watch::rules
