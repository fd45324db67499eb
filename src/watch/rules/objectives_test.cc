#include "watch/rules/objectives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "watch/rules/testing/unit_test_bench.h"

namespace binnacle::watch::rules {
namespace {

using testing::HasSubstr;

// "" when the objective's rules give what the test expects.
std::string wrong(const Objective& objective, std::string_view tests) {
  const auto groups = objective_rules({objective});
  if (!groups) return groups.error().message;
  return text_of(run_first_test(tests, *groups));
}

// The series whose values the tests look at.
std::string expect(std::string_view name, std::string_view window, std::string_view at,
                   std::string_view value) {
  const std::string sample =
      value.empty() ? "" : fmt::format("{{labels: '{{}}', value: {}}}", value);
  return fmt::format(
      "  - {{expr: 'round(sum without (slo, model, window) ({}{{window=\"{}\"}}), 0.001)', "
      "eval_time: {}, exp_samples: [{}]}}\n",
      name, window, at, sample);
}

TEST(ObjectivesTest, RequestsWithALateFirstTokenAreBad) {
  const Objective objective{.name = "chat",
                            .model = "m",
                            .kind = ObjectiveKind::kTimeToFirstToken,
                            .target = 0.9,
                            .threshold = 1};
  // A tenth is late, and from the second hour on a half.
  EXPECT_EQ(
      wrong(objective, R"(tests:
- input_series:
  - {series: 'llm_time_to_first_token_seconds_bucket{model="m",le="1"}', values: '0+9x120 1080+5x120'}
  - {series: 'llm_time_to_first_token_seconds_bucket{model="m",le="+Inf"}', values: '0+10x300'}
  - {series: 'llm_time_to_first_token_seconds_count{model="m"}', values: '0+10x300'}
  - {series: 'llm_time_to_first_token_seconds_count{model="other"}', values: '0+90x300'}
  promql_expr_test:
)" + expect("binnacle_slo_error_ratio", "5m", "1h", "0.1") +
                           expect("binnacle_slo_compliance_ratio", "1h", "1h", "0.9") +
                           expect("binnacle_slo_error_budget_remaining_ratio", "30d", "1h", "0") +
                           expect("binnacle_slo_error_ratio", "5m", "3h", "0.5")),
      "");
}

TEST(ObjectivesTest, ABoundWithoutAFractionIsFoundInBothSpellings) {
  Objective objective{
      .name = "chat", .model = "m", .kind = ObjectiveKind::kTimeToFirstToken, .threshold = 2};
  EXPECT_THAT(*objective_rule_file({objective}), HasSubstr(R"(le=~\"2(\\\\.0)?\")"));
  objective.threshold = 0.25;
  EXPECT_THAT(*objective_rule_file({objective}), HasSubstr(R"(le=\"0.25\")"));
}

TEST(ObjectivesTest, AThresholdWithoutABucketIsTold) {
  const Objective objective{
      .name = "chat", .model = "m", .kind = ObjectiveKind::kTimeToFirstToken, .threshold = 0.3};
  const auto groups = objective_rules({objective});
  ASSERT_TRUE(groups);
  const auto failures = run_first_test(R"(tests:
- input_series:
  - {series: 'llm_time_to_first_token_seconds_bucket{model="m",le="1"}', values: '0+9x60'}
  - {series: 'llm_time_to_first_token_seconds_count{model="m"}', values: '0+10x60'}
  promql_expr_test:
  - {expr: 'count(ALERTS{alertname="ObjectiveWithoutData",alertstate="firing"})', eval_time: 30m, exp_samples: [{labels: '{}', value: 1}]}
)",
                                       *groups);
  EXPECT_EQ(text_of(failures), "");
}

TEST(ObjectivesTest, FailedRequestsAreBadAndThoseThatClientsGaveUpAreNot) {
  const Objective objective{
      .name = "e", .model = "m", .kind = ObjectiveKind::kErrorRate, .target = 0.99};
  EXPECT_EQ(wrong(objective, R"(tests:
- input_series:
  - {series: 'llm_requests_finished_total{model="m",reason="stop"}', values: '0+20x100'}
  - {series: 'llm_request_errors_total{model="m",reason="error"}', values: '_x60 0+1x60'}
  - {series: 'llm_request_errors_total{model="m",reason="abort"}', values: '0+5x100'}
  promql_expr_test:
)" + expect("binnacle_slo_error_ratio", "5m", "50m", "0") +
                                 expect("binnacle_slo_error_ratio", "5m", "90m", "0.05")),
            "");
}

TEST(ObjectivesTest, MinutesWithSlowAnswersAreBadAndThoseWithoutAnswersDoNotCount) {
  const Objective objective{.name = "s",
                            .model = "m",
                            .kind = ObjectiveKind::kTokensPerSecond,
                            .target = 0.9,
                            .threshold = 20};
  // 50 tokens a second, then 10, then none.
  EXPECT_EQ(wrong(objective, R"(tests:
- input_series:
  - {series: 'llm_inter_token_latency_seconds_count{model="m"}', values: '0+3000x60 180000+600x60 216000x120'}
  - {series: 'llm_inter_token_latency_seconds_sum{model="m"}', values: '0+60x60 3600+60x60 7200x120'}
  promql_expr_test:
)" + expect("binnacle_slo_error_ratio", "5m", "50m", "0") +
                                 expect("binnacle_slo_error_ratio", "5m", "100m", "1") +
                                 expect("binnacle_slo_error_ratio", "5m", "200m", "")),
            "");
}

TEST(ObjectivesTest, AModelIsThereWhenAnEngineThatWorksServesIt) {
  const Objective objective{
      .name = "a", .model = "m", .kind = ObjectiveKind::kAvailability, .target = 0.99};
  EXPECT_EQ(wrong(objective, R"(tests:
- input_series:
  - {series: 'llm_requests_running{model="m",instance="a:1"}', values: '1x60 stale'}
  - {series: 'llm_requests_running{model="m",instance="b:1"}', values: '1x180'}
  - {series: 'binnacle_engine_state{instance="b:1",state="wedged",job="binnacle"}', values: '0x120 1x60'}
  promql_expr_test:
)" + expect("binnacle_slo_error_ratio", "5m", "30m", "0") +
                                 expect("binnacle_slo_error_ratio", "5m", "100m", "0") +
                                 expect("binnacle_slo_error_ratio", "5m", "150m", "1")),
            "");
}

TEST(ObjectivesTest, FastBurnsPageAndEndSoonAfterTheTrouble) {
  const Objective objective{
      .name = "e", .model = "m", .kind = ObjectiveKind::kErrorRate, .target = 0.99};
  // Healthy for six hours, then a fifth fails for 40 minutes.
  const auto firing = [](std::string_view window, std::string_view at, int count) {
    return fmt::format(
        "  - {{expr: "
        "'count(ALERTS{{alertname=\"ErrorBudgetBurn\",alertstate=\"firing\",window=\"{}\"}}) "
        "or vector(0)', eval_time: {}, exp_samples: [{{labels: '{{}}', value: {}}}]}}\n",
        window, at, count);
  };
  EXPECT_EQ(wrong(objective, R"(tests:
- input_series:
  - {series: 'llm_requests_finished_total{model="m",reason="stop"}', values: '0+20x600'}
  - {series: 'llm_request_errors_total{model="m",reason="error"}', values: '0x360 0+8x40 320x200'}
  promql_expr_test:
)" + firing("1h", "5h50m", 0) + firing("1h", "6h15m", 0) +
                                 firing("1h", "6h40m", 1) + firing("1h", "6h55m", 0) +
                                 firing("3d", "6h40m", 0)),
            "");
}

TEST(ObjectivesTest, BurnRatesAreThoseOfTheWorkbookForThirtyDaysAndScaleWithTheWindow) {
  Objective objective{.name = "e", .model = "m", .kind = ObjectiveKind::kErrorRate};
  const std::string month = *objective_rule_file({objective});
  for (const std::string_view rate :
       {"> 14.4 * (1 - 0.99)", "> 6 * (1 - 0.99)", "> 1 * (1 - 0.99)"})
    EXPECT_THAT(month, HasSubstr(rate));
  objective.window_ms = 7 * kDayMs;
  EXPECT_THAT(*objective_rule_file({objective}), HasSubstr("> 3.36 * (1 - 0.99)"));
}

TEST(ObjectivesTest, WhatCannotBeIsRefusedByName) {
  const auto groups = objective_rules({
      {.name = "a", .model = "m", .target = 99},
      {.name = "a", .model = ""},
      {.name = "b", .model = "m", .kind = ObjectiveKind::kTimeToFirstToken},
      {.name = "c", .model = "m", .window_ms = 1000},
  });
  ASSERT_FALSE(groups);
  for (const std::string_view part : {"a target of 99", "taken already", "names no model",
                                      "ttft needs a threshold", "its window cannot be 1s"})
    EXPECT_THAT(groups.error().message, HasSubstr(part));
  EXPECT_FALSE(objective_kind("latency"));
}

}  // namespace
}  // namespace binnacle::watch::rules
