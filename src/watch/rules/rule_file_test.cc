#include "watch/rules/rule_file.h"

#include <gtest/gtest.h>

namespace binnacle::watch::rules {
namespace {

constexpr std::string_view kGood = R"(
groups:
- name: node
  interval: 30s
  query_offset: 1m
  limit: 10
  labels: {team: a, severity: low}
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
    labels: {kind: sum}
  - alert: Down
    expr: |
      up == 0
    for: 5m
    keep_firing_for: 1h30m
    labels: {severity: page}
    annotations:
      summary: '{{ $labels.instance }} is down'
    x-clear: up < 1
)";

std::string problems(std::string_view yaml, const RuleFileOptions& options = {}) {
  const auto groups = read_rule_file(yaml, "r.yml", options);
  return groups ? "" : groups.error().message;
}

TEST(RuleFile, ReadsGroupsAsPrometheusWritesThem) {
  const auto groups = read_rule_file(kGood, "r.yml");
  ASSERT_TRUE(groups) << groups.error().message;
  ASSERT_EQ(groups->size(), 1u);
  const RuleGroup& group = (*groups)[0];
  EXPECT_EQ(group.file, "r.yml");
  EXPECT_EQ(group.interval_ms, 30'000);
  EXPECT_EQ(group.query_offset_ms, 60'000);
  EXPECT_EQ(group.limit, 10u);
  ASSERT_EQ(group.rules.size(), 2u);
  EXPECT_FALSE(group.rules[0].alerting);
  EXPECT_EQ(group.rules[0].name, "job:up:sum");
  const Rule& down = group.rules[1];
  EXPECT_TRUE(down.alerting);
  EXPECT_EQ(down.for_ms, 300'000);
  EXPECT_EQ(down.keep_firing_for_ms, 5'400'000);
  EXPECT_NE(down.clear, nullptr);
  EXPECT_EQ(labels_of(group, down), (TextPairs{{"severity", "page"}, {"team", "a"}}));
}

TEST(RuleFile, AnEmptyFileHasNoGroups) {
  EXPECT_EQ(problems(""), "");
  EXPECT_EQ(problems("groups:\n"), "");
}

TEST(RuleFile, NamesAllProblemsWithTheirLines) {
  const std::string text = problems(R"(groups:
- name: a
  intervall: 1m
  rules:
  - record: x
    alert: y
    expr: up
  - alert: z
    expr: sum(
  - record: 'sum{a="b"}'
    expr: up
    for: 5m
- name: a
  rules:
  - expr: up
  - alert: w
)");
  for (const std::string_view wanted :
       {"r.yml:3: groups[0].intervall: unknown key: did you mean interval?",
        "only one of record and alert", "could not parse expression: 1:5: parse error", "braces",
        "has no for", "taken already", "one of record and alert must be set",
        "a rule needs an expr"}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted << "\n" << text;
  }
}

TEST(RuleFile, RefusesLabelsThatAreNone) {
  EXPECT_NE(problems("groups: [{name: a, rules: [{record: x, expr: up, labels: {__name__: y}}]}]")
                .find("invalid label name"),
            std::string::npos);
}

TEST(RuleFile, TemplatesOfAlertsAreChecked) {
  RuleFileOptions options;
  options.check_template = [](std::string_view name, std::string_view text) -> Status {
    if (text != "bad") return {};
    return fail(Code::kInvalidArgument, std::string(name) + " does not parse");
  };
  EXPECT_NE(
      problems("groups: [{name: a, rules: [{alert: x, expr: up, annotations: {s: bad}}]}]", options)
          .find("annotation \"s\": x does not parse"),
      std::string::npos);
  EXPECT_EQ(
      problems("groups: [{name: a, rules: [{record: x, expr: up, labels: {s: bad}}]}]", options),
      "");
}

TEST(RuleFile, DuplicateRulesAreNamedOnce) {
  const auto groups = read_rule_file(R"(groups:
- name: a
  rules:
  - {record: x, expr: up}
  - {record: x, expr: up, labels: {a: b}}
  - {record: x, expr: up * 2}
  - {record: x, expr: up * 3}
)",
                                     "r.yml");
  ASSERT_TRUE(groups);
  const auto found = duplicate_rules(*groups);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].starts_with("r.yml:6: x")) << found[0];
}

}  // namespace
}  // namespace binnacle::watch::rules
