#include "watch/rules/rule_service.h"

#include <gtest/gtest.h>

#include "store/state/testing/state_fixture.h"
#include "watch/rules/testing/rule_bench.h"

namespace binnacle::watch::rules {
namespace {

constexpr std::string_view kDown = R"(groups:
- name: g
  interval: 60s
  rules:
  - {alert: Down, expr: up == 0, for: 5m}
)";

class RuleServiceTest : public testing::Test {
 protected:
  RuleServiceTools tools() {
    return {.reads = bench_.store,
            .writes = bench_.store,
            .clock = bench_.clock,
            .registry = bench_.registry,
            .state = *state_.store,
            .limits = nullptr,
            .expand = nullptr,
            .notify = bench_.tools().notify};
  }
  static std::vector<ConfiguredGroup> groups(std::string_view yaml) {
    auto read = read_rule_file(yaml, "r.yml");
    EXPECT_TRUE(read) << read.error().message;
    std::vector<ConfiguredGroup> out;
    for (RuleGroup& group : *read) out.push_back({std::move(group), {}});
    return out;
  }
  // Everything that is due within that time, each at its time.
  void run(RuleService& service, int64_t seconds) {
    for (int64_t i = 0; i < seconds; ++i) {
      bench_.clock.advance_ms(1000);
      if (i % 30 == 0) up(value_);
      service.run_due();
      service.wait_idle();
    }
  }
  void up(double value) {
    const auto appender = bench_.store.appender();
    ASSERT_TRUE(appender->append(model::kNoSeries,
                                 model::Labels{{"__name__", "up"}, {"instance", "a"}},
                                 {bench_.clock.wall_ms(), value}));
    ASSERT_TRUE(appender->commit());
  }
  static std::string state_of(const RuleService& service) {
    return std::string(alert_state_name(service.groups().at(0).rules.at(0).state));
  }
  // The service's thread turns the wheel too; with the time standing still it finds nothing.
  std::unique_ptr<RuleService> service(std::string_view yaml) {
    auto made = std::make_unique<RuleService>(RuleServiceOptions{}, tools());
    made->set_groups(groups(yaml));
    made->start();
    return made;
  }

  RuleBench bench_;
  store::state::StateFixture state_{{rule_migrations().begin(), rule_migrations().end()}};
  double value_ = 0;
};

TEST_F(RuleServiceTest, EvaluatesOnTheIntervalAtAnOffset) {
  const auto service = this->service(kDown);
  run(*service, 60);
  const auto first = service->groups().at(0).rules.at(0);
  EXPECT_GT(first.evaluated_at_ms, 0);
  ASSERT_EQ(first.alerts.size(), 1u);
  run(*service, 60);
  EXPECT_EQ(service->groups().at(0).rules.at(0).evaluated_at_ms - first.evaluated_at_ms, 60'000);
  EXPECT_EQ(state_of(*service), "pending");
  run(*service, 240);
  EXPECT_EQ(state_of(*service), "firing");
  EXPECT_EQ(bench_.told.size(), 1u);
}

TEST_F(RuleServiceTest, ACrashLosesNothing) {
  auto before = service(kDown);
  run(*before, 120);
  const ActiveAlert pending = before->groups().at(0).rules.at(0).alerts.at(0);
  before.reset();
  state_.reopen();
  bench_.clock.advance_ms(60'000);
  const auto after = service(kDown);
  EXPECT_EQ(after->groups().at(0).rules.at(0).alerts.at(0).active_at_ms, pending.active_at_ms);
  run(*after, 180);
  const ActiveAlert firing = after->groups().at(0).rules.at(0).alerts.at(0);
  EXPECT_EQ(firing.state, AlertState::kFiring);
  EXPECT_EQ(firing.active_at_ms, pending.active_at_ms);
}

TEST_F(RuleServiceTest, WhatWasToldIsNotToldAgainAfterACrash) {
  auto before = service(kDown);
  run(*before, 360);
  ASSERT_EQ(bench_.told.size(), 1u);
  const ActiveAlert firing = before->groups().at(0).rules.at(0).alerts.at(0);
  before.reset();
  state_.reopen();
  const auto after = service(kDown);
  EXPECT_EQ(after->groups().at(0).rules.at(0).alerts.at(0).last_sent_ms, firing.last_sent_ms);
  value_ = 1;
  run(*after, 60);
  ASSERT_EQ(bench_.told.size(), 2u);
  EXPECT_EQ(bench_.told[1].starts_at_ms, firing.fired_at_ms);
  EXPECT_LE(bench_.told[1].ends_at_ms, bench_.clock.wall_ms());
}

TEST_F(RuleServiceTest, AlertsOfLongAgoAreForgotten) {
  auto before = service(kDown);
  run(*before, 120);
  before.reset();
  state_.reopen();
  bench_.clock.advance_ms(2 * 3'600'000);
  const auto after = service(kDown);
  EXPECT_TRUE(after->groups().at(0).rules.at(0).alerts.empty());
}

TEST_F(RuleServiceTest, AReloadKeepsWhatStaysAndForgetsWhatGoes) {
  const auto service = this->service(kDown);
  run(*service, 120);
  const int64_t since_ms = service->groups().at(0).rules.at(0).alerts.at(0).active_at_ms;
  service->set_groups(groups(R"(groups:
- name: g
  interval: 60s
  rules:
  - {alert: Down, expr: up < 1, for: 10m}
)"));
  EXPECT_EQ(service->groups().at(0).rules.at(0).alerts.at(0).active_at_ms, since_ms);
  service->set_groups({});
  EXPECT_TRUE(service->groups().empty());
  const auto left = RuleState(*state_.store).load();
  ASSERT_TRUE(left);
  EXPECT_TRUE(left->alerts.empty());
}

TEST_F(RuleServiceTest, MissedEvaluationsAreCounted) {
  const auto service = this->service(kDown);
  run(*service, 60);
  bench_.clock.advance_ms(5 * 60'000);
  service->run_due();
  service->wait_idle();
  EXPECT_EQ(bench_.registry
                .counter("binnacle_rule_group_iterations_missed_total",
                         "Evaluations of the group that were left out, since the one before was "
                         "too slow.",
                         {{"rule_group", "r.yml;g"}})
                .value(),
            4);
}

}  // namespace
}  // namespace binnacle::watch::rules
