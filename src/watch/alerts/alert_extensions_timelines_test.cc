// What goes beyond Alertmanager, in simulated time: acknowledgement, escalation, maintenance
// windows, flapping, reminders, rates, clocks that are set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>

#include "watch/alerts/testing/simulation.h"

namespace binnacle::watch::alerts {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kYaml[] = R"(
global:
  resolve_timeout: 10h
route:
  receiver: default
  group_by: [alertname]
  group_wait: 1s
  group_interval: 10s
  repeat_interval: 60s
receivers:
- name: default
  webhook_configs:
  - url: http://first/
- name: second
  webhook_configs:
  - url: http://second/
- name: third
  webhook_configs:
  - url: http://third/
)";

std::vector<int64_t> seconds_told(const Simulation& run, const std::string& receiver) {
  std::vector<int64_t> seconds;
  for (const Simulation::Told& told : run.all_told()) {
    if (told.receiver != receiver) continue;
    seconds.push_back((told.notification.now_ms - kSimulationStartMs) / 1000);
  }
  return seconds;
}

std::vector<std::string> history(Simulation& run, std::string_view kind) {
  std::vector<std::string> texts;
  for (const AlertHistoryEntry& entry : run.dispatcher().changes().history) {
    if (entry.kind == kind) texts.push_back(entry.text);
  }
  return texts;
}

TEST(AcknowledgementTest, AcknowledgedAlertIsNotRepeatedUntilItExpires) {
  Simulation run(kYaml);
  run.push(1, {named("a")});
  run.acknowledge(30, named("a"), 200);
  run.run(190);
  EXPECT_THAT(seconds_told(run, "default"), ElementsAre(2));
  run.run(220);
  EXPECT_THAT(seconds_told(run, "default"), ElementsAre(2, 202));
}

TEST(AcknowledgementTest, NewAlertOfTheGroupAndTheEndAreTold) {
  Simulation run(kYaml);
  const TestAlert x{{"alertname", "a"}, {"instance", "x"}};
  const TestAlert y{{"alertname", "a"}, {"instance", "y"}};
  run.push(1, {x});
  run.acknowledge(5, x);
  run.push(30, {y});
  run.push(50, {x.active(1, 50), y.active(30, 50)});
  run.run(100);
  EXPECT_THAT(seconds_told(run, "default"), ElementsAre(2, 32, 52));
  EXPECT_EQ(run.dispatcher().acknowledgement(x.fingerprint(), run.now_ms()), nullptr);
}

AlertConfig escalating() {
  AlertConfig config = *Simulation::read(kYaml);
  config.escalations["page"] = {{.after_ms = 60'000, .receiver = "second"},
                                {.after_ms = 120'000, .receiver = "third"}};
  config.route.escalation = "page";
  return config;
}

TEST(EscalationTest, NextReceiverIsToldUnlessSomeoneAcknowledged) {
  Simulation run(kYaml);
  run.configure(0.5, escalating());
  run.push(1, {named("a")});
  run.acknowledge(100, named("a"));
  run.run(300);
  ASSERT_FALSE(seconds_told(run, "second").empty());
  EXPECT_EQ(seconds_told(run, "second").front(), 62);
  EXPECT_THAT(seconds_told(run, "third"), IsEmpty());
  EXPECT_EQ(run.all_told()[1].notification.reason, "escalation");
}

TEST(EscalationTest, WhoWasToldIsToldTheEnd) {
  Simulation run(kYaml);
  run.configure(0.5, escalating());
  run.push(1, {named("a")});
  run.push(100, {named("a").active(1, 100)});
  run.run(300);
  ASSERT_FALSE(run.told("webhook[0]", "second").empty());
  EXPECT_THAT(run.told("webhook[0]", "second").back(), ::testing::HasSubstr("1000-100000"));
  EXPECT_THAT(seconds_told(run, "third"), IsEmpty());
}

TEST(EscalationTest, GoesOnWhenTheFirstReceiverIsDead) {
  Simulation run(kYaml);
  run.configure(0.5, escalating());
  run.push(1, {named("a")});
  run.answer("webhook[0]", [](const DeliveryAttempt& attempt, int64_t) -> SendOutcome {
    if (attempt.target.first != "default") return {};
    return {.kind = SendOutcome::Kind::kRetry, .message = "down"};
  });
  run.run(130);
  EXPECT_THAT(seconds_told(run, "default"), IsEmpty());
  EXPECT_FALSE(seconds_told(run, "second").empty());
  EXPECT_FALSE(seconds_told(run, "third").empty());
}

TEST(MaintenanceTest, AlertsAreSilentWhileAWindowIsOpen) {
  AlertConfig config = *Simulation::read(kYaml);
  MaintenanceWindow window{.name = "nights"};
  window.matchers.push_back(*model::Matcher::create(model::MatchOp::kEqual, "alertname", "a"));
  window.intervals.emplace_back();  // always
  config.maintenance.push_back(window);
  Simulation run(kYaml);
  run.configure(0.5, config);
  run.push(1, {named("a"), named("b")});
  run.configure(30, *Simulation::read(kYaml));
  run.run(20);
  const auto views = run.dispatcher().alerts({}, run.now_ms());
  ASSERT_EQ(views->size(), 2U);
  for (const AlertView& view : *views) {
    const bool silent = view.alert.labels.get("alertname") == "a";
    EXPECT_EQ(view.state, silent ? AlertState::kSuppressed : AlertState::kActive);
    if (silent) EXPECT_THAT(view.silenced_by, ElementsAre("maintenance:nights"));
  }
  run.run(45);
  EXPECT_THAT(seconds_told(run, "default"), ElementsAre(2, 30));
}

TEST(FlappingTest, IsToldOnceUntilItCalmsDown) {
  Simulation run(kYaml, {.flap_changes = 4, .flap_window_ms = 120'000});
  for (int i = 0; i < 10; ++i) {
    const double start = 1 + i * 24;
    run.push(start, {named("a").active(start)});
    run.push(start + 12, {named("a").active(start, start + 12)});
  }
  run.run(240);
  const auto during = seconds_told(run, "default");
  const auto reasons = [&] {
    std::vector<std::string> all;
    for (const auto& told : run.all_told()) all.push_back(told.notification.reason);
    return all;
  };
  EXPECT_EQ(std::ranges::count(reasons(), "flapping"), 1);
  // Two rounds until it is found out, then the one message, then repeats.
  EXPECT_LE(during.size(), 10U);
  EXPECT_EQ(history(run, "flapping").size(), 1U);
  run.run(600);
  EXPECT_EQ(history(run, "calm").size(), 1U);
  EXPECT_EQ(run.all_told().back().notification.reason, "resolved");
}

TEST(SilenceReminderTest, ComesBeforeTheEndWhileAlertsFire) {
  Simulation run(kYaml, {.silence_reminder_ms = 60'000});
  run.push(1, {named("a")});
  run.silence(2, 2, 300, model::MatchOp::kEqual, "a");
  run.silence(2, 2, 300, model::MatchOp::kEqual, "other");
  run.run(230);
  EXPECT_THAT(history(run, "reminder"), IsEmpty());
  run.run(290);
  EXPECT_EQ(history(run, "reminder").size(), 1U);
}

TEST(SilenceReminderTest, IsSentToAReceiverOnce) {
  Simulation run(std::string(kYaml) +
                 "x-binnacle: {silence_reminder: {receiver: second, before: 1m}}\n");
  std::string id;
  run.push(1, {named("a")});
  run.silence(2, 2, 300, model::MatchOp::kEqual, "a", &id);
  run.run(230);
  EXPECT_THAT(seconds_told(run, "second"), IsEmpty());
  run.run(260);
  ASSERT_EQ(seconds_told(run, "second").size(), 1U);
  const Notification& told = run.all_told().back().notification;
  EXPECT_EQ(told.reason, "reminder");
  ASSERT_EQ(told.alerts.size(), 1U);
  EXPECT_EQ(told.alerts[0].labels.get("alertname"), "SilenceEnding");
  EXPECT_NE(told.alerts[0].annotations.get("summary").find("1 of its alerts still fire"),
            std::string_view::npos);
  EXPECT_NE(run.dispatcher().find_log({"silence/" + id, "second", "webhook[0]"}), nullptr);
  run.run(290);
  EXPECT_EQ(seconds_told(run, "second").size(), 1U);
}

TEST(DeliveryRateTest, NoMoreThanTheRateAndNoneLost) {
  std::string yaml = kYaml;
  AlertConfig config = *Simulation::read(yaml);
  config.receivers.at("default").integrations[0].max_per_minute = 2;
  config.route.group_interval_ms = 600'000;
  Simulation run(yaml);
  run.configure(0.5, config);
  for (const char* name : {"a", "b", "c", "d", "e"}) run.push(1, {named(name)});
  run.run(60);
  EXPECT_EQ(run.all_told().size(), 2U);
  run.run(121);
  EXPECT_EQ(run.all_told().size(), 4U);
  run.run(300);
  EXPECT_EQ(run.all_told().size(), 5U);
}

TEST(ReceiverTest, OneThatHangsDelaysNoOther) {
  AlertConfig config = *Simulation::read(kYaml);
  Route hanging = config.route;
  hanging.receiver = "second";
  hanging.id = hanging.key = "{}/{x}";
  hanging.matchers.push_back(
      *model::Matcher::create(model::MatchOp::kRegex, "alertname", "slow.*"));
  config.route.routes.push_back(hanging);
  Simulation run(kYaml);
  run.configure(0.5, config);
  run.answer("webhook[0]", [](const DeliveryAttempt& attempt, int64_t) -> SendOutcome {
    if (attempt.target.first == "default") return {};
    return {.kind = SendOutcome::Kind::kRetry, .message = "timed out"};
  });
  for (int i = 0; i < 20; ++i) run.push(1, {named(fmt::format("slow{}", i))});
  run.push(1, {named("a")});
  run.run(3);
  EXPECT_THAT(seconds_told(run, "default"), ElementsAre(2));
}

TEST(ClockTest, WaitsGoOnAsLongAsTheyWouldHave) {
  Simulation run(kYaml);
  run.push(1, {named("a")});
  run.jump_clock(1.5, 3'600'000);
  run.run(1.9);
  EXPECT_THAT(run.all_told(), IsEmpty());
  run.run(3602.5);
  EXPECT_THAT(seconds_told(run, "default"), ElementsAre(3602));
}

}  // namespace
}  // namespace binnacle::watch::alerts
