#include <gmock/gmock.h>

#include "show/test_api.h"
#include "watch/rules/rule_file.h"

namespace binnacle::show {
namespace {

using testing::HasSubstr;
using testing::Not;
using watch::rules::AlertState;
using watch::rules::GroupStatus;
using watch::rules::RuleHealth;

constexpr std::string_view kFile = R"(groups:
- name: one
  interval: 30s
  rules:
  - {record: "r:sum", expr: sum(up), labels: {kind: sum}}
  - alert: Down
    expr: up  ==  0
    for: 90s
    keep_firing_for: 1m
    labels: {severity: page}
    annotations: {summary: '{{ $value }}'}
- name: two
  limit: 7
  rules:
  - {record: other, expr: up}
)";

class RulesApiTest : public ApiTest {
 protected:
  RulesApiTest() {
    auto groups = watch::rules::read_rule_file(kFile, "r.yml");
    EXPECT_TRUE(groups) << groups.error().message;
    for (watch::rules::RuleGroup& group : *groups) {
      GroupStatus status;
      status.interval_ms = 30'000;
      status.rules.resize(group.rules.size());
      for (size_t i = 0; i < group.rules.size(); ++i)
        status.rules[i].labels = labels_of(group, group.rules[i]);
      status.group = std::make_shared<const watch::rules::RuleGroup>(std::move(group));
      rules_.list.push_back(std::move(status));
    }
    GroupStatus& one = rules_.list[0];
    one.seconds = 0.25;
    one.evaluated_at_ms = kStartMs;
    watch::rules::RuleStatus& down = one.rules[1];
    down.health = RuleHealth::kGood;
    down.evaluated_at_ms = kStartMs;
    down.seconds = 0.125;
    down.state = AlertState::kFiring;
    down.alerts.push_back({.state = AlertState::kFiring,
                           .labels = model::Labels{{"alertname", "Down"}},
                           .annotations = model::Labels{{"summary", "0"}},
                           .value = 12.5,
                           .active_at_ms = kStartMs,
                           .keep_firing_since_ms = kStartMs + 5});
    one.rules[0].health = RuleHealth::kBad;
    one.rules[0].last_error = "no";
  }
};

TEST_F(RulesApiTest, RulesHaveTheShapeOfPrometheus) {
  EXPECT_EQ(
      data("/api/v1/rules?type=alert"),
      R"({"groups":[{"name":"one","file":"r.yml","rules":[{"state":"firing","name":"Down",)"
      R"("query":"up == 0","duration":90,"keepFiringFor":60,"labels":{"severity":"page"},)"
      R"("annotations":{"summary":"{{ $value }}"},"alerts":[{"labels":{"alertname":"Down"},)"
      R"("annotations":{"summary":"0"},"state":"firing","activeAt":"2023-11-14T22:13:20.000Z",)"
      R"("keepFiringSince":"2023-11-14T22:13:20.005Z","value":"1.25e+01"}],"health":"ok",)"
      R"("evaluationTime":0.125,"lastEvaluation":"2023-11-14T22:13:20.000Z","type":"alerting"}],)"
      R"("interval":30,"limit":0,"evaluationTime":0.25,)"
      R"("lastEvaluation":"2023-11-14T22:13:20.000Z"}]})");
  EXPECT_THAT(data("/api/v1/rules?type=record&rule_group[]=one"),
              HasSubstr(R"x([{"name":"r:sum","query":"sum(up)","labels":{"kind":"sum"},)x"
                        R"("health":"err","lastError":"no","evaluationTime":0,)"
                        R"("lastEvaluation":"0001-01-01T00:00:00Z","type":"recording"}])"));
}

TEST_F(RulesApiTest, RulesAreChosen) {
  EXPECT_THAT(data("/api/v1/rules?rule_group[]=two"), Not(HasSubstr("Down")));
  EXPECT_THAT(data("/api/v1/rules?rule_name[]=Down"), Not(HasSubstr("r:sum")));
  EXPECT_EQ(data("/api/v1/rules?file[]=other.yml"), R"({"groups":[]})");
  EXPECT_THAT(data("/api/v1/rules?match[]={severity=\"page\"}"), Not(HasSubstr("r:sum")));
  EXPECT_THAT(data("/api/v1/rules?exclude_alerts=true"), HasSubstr(R"("alerts":null)"));
}

TEST_F(RulesApiTest, GroupsComeInPages) {
  const std::string first = data("/api/v1/rules?group_limit=1");
  EXPECT_THAT(first, Not(HasSubstr(R"("name":"two")")));
  constexpr std::string_view kNext = R"("groupNextToken":")";
  const size_t at = first.find(kNext);
  ASSERT_NE(at, std::string::npos) << first;
  const std::string token = first.substr(at + kNext.size(), 64);
  const std::string second = data("/api/v1/rules?group_limit=1&group_next_token=" + token);
  EXPECT_THAT(second, HasSubstr(R"("name":"two")"));
  EXPECT_THAT(second, Not(HasSubstr("groupNextToken")));
  EXPECT_THAT(bad("/api/v1/rules?group_limit=1&group_next_token=x"),
              HasSubstr("were rule groups changed?"));
  EXPECT_THAT(bad("/api/v1/rules?group_limit=0"), HasSubstr("greater than 0"));
}

TEST_F(RulesApiTest, AlertsAreThoseOfAllRules) {
  EXPECT_THAT(data("/api/v1/alerts"), HasSubstr(R"({"alerts":[{"labels":{"alertname":"Down"})"));
}

}  // namespace
}  // namespace binnacle::show
