#include "watch/rules/rule_service.h"

#include <gtest/gtest.h>

#include <thread>

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

// A store in which reads of the metric "slow" wait until they are let go.
class GatedReads final : public model::Queryable {
 public:
  explicit GatedReads(model::Queryable& store) : store_(store) {}
  Result<std::unique_ptr<model::Querier>> querier(int64_t min_ms, int64_t max_ms) override {
    TRY_ASSIGN(auto querier, store_.querier(min_ms, max_ms));
    return std::unique_ptr<model::Querier>(new Gated(*this, std::move(querier)));
  }
  void let_go() {
    const MutexLock lock(mu_);
    open_ = true;
    changed_.notify_all();
  }
  void wait_for_waiting() {
    const MutexLock lock(mu_);
    while (!waiting_) changed_.wait(mu_);
  }

 private:
  class Gated final : public model::Querier {
   public:
    Gated(GatedReads& gate, std::unique_ptr<model::Querier> inner)
        : gate_(gate), inner_(std::move(inner)) {}
    void charge_to(model::ReadBudget& budget) override { inner_->charge_to(budget); }
    Result<std::unique_ptr<model::SeriesSet>> select(const model::Matchers& matchers,
                                                     const model::SelectHints& hints) override {
      for (const model::Matcher& matcher : matchers)
        if (matcher.value() == "slow") gate_.wait();
      return inner_->select(matchers, hints);
    }
    Result<std::vector<std::string>> label_names(const model::Matchers& matchers,
                                                 size_t limit) override {
      return inner_->label_names(matchers, limit);
    }
    Result<std::vector<std::string>> label_values(std::string_view name,
                                                  const model::Matchers& matchers,
                                                  size_t limit) override {
      return inner_->label_values(name, matchers, limit);
    }

   private:
    GatedReads& gate_;
    const std::unique_ptr<model::Querier> inner_;
  };

  void wait() {
    const MutexLock lock(mu_);
    waiting_ = true;
    changed_.notify_all();
    while (!open_) changed_.wait(mu_);
  }

  model::Queryable& store_;
  Mutex mu_;
  CondVar changed_;
  bool open_ GUARDED_BY(mu_) = false;
  bool waiting_ GUARDED_BY(mu_) = false;
};

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

TEST_F(RuleServiceTest, SeriesOfAGroupThatIsGoneEnd) {
  const auto service = this->service(
      "groups: [{name: g, interval: 60s, rules: [{record: x, expr: "
      "up}]}]");
  run(*service, 60);
  service->set_groups({});
  const int64_t gone_ms = bench_.clock.wall_ms();
  run(*service, 121);
  const auto querier = bench_.store.querier(gone_ms, gone_ms);
  const auto set =
      (*querier)->select({*model::Matcher::create(model::MatchOp::kEqual, "__name__", "x")}, {});
  model::SeriesColumns columns;
  ASSERT_TRUE((*set)->next(columns));
  EXPECT_TRUE(model::is_stale(columns.values.back()));
}

TEST_F(RuleServiceTest, ASlowGroupDelaysNoOtherAndIsReplacedWhenItEnds) {
  GatedReads reads(bench_.store);
  const RuleServiceTools with_gate{.reads = reads,
                                   .writes = bench_.store,
                                   .clock = bench_.clock,
                                   .registry = bench_.registry,
                                   .state = *state_.store,
                                   .limits = nullptr,
                                   .expand = nullptr,
                                   .notify = nullptr};
  RuleService service({.threads = 2}, with_gate);
  service.set_groups(groups(R"(groups:
- {name: a, interval: 10s, rules: [{alert: Slow, expr: slow}]}
- {name: b, interval: 10s, rules: [{alert: Quick, expr: vector(1)}]}
)"));
  service.start();
  for (int i = 0; i < 20; ++i) {
    bench_.clock.advance_ms(1000);
    service.run_due();
  }
  reads.wait_for_waiting();
  const auto quick = [&] { return service.groups().at(1).rules.at(0).evaluated_at_ms; };
  while (quick() == 0) std::this_thread::yield();
  EXPECT_EQ(service.groups().at(0).rules.at(0).evaluated_at_ms, 0);
  service.set_groups(groups(R"(groups:
- {name: a, interval: 10s, rules: [{alert: Other, expr: vector(1)}]}
)"));
  EXPECT_EQ(service.groups().at(0).group->rules[0].name, "Slow");
  reads.let_go();
  service.wait_idle();
  EXPECT_EQ(service.groups().at(0).group->rules[0].name, "Other");
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
