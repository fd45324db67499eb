// Timelines that Alertmanager holds itself to, in simulated time: what goes in when, and what each
// webhook is told when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "watch/alerts/testing/simulation.h"

namespace binnacle::watch::alerts {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Times {
  std::string group_by = "[alertname]";
  std::string wait = "1s";
  std::string interval = "1s";
  std::string repeat = "1ms";
  std::string resolve = "10s";
};

std::string yaml(const Times& times, int webhooks = 1, std::string_view more = "") {
  std::string text = fmt::format(
      "global:\n  resolve_timeout: {}\n"
      "route:\n  receiver: default\n  group_by: {}\n  group_wait: {}\n  group_interval: {}\n"
      "  repeat_interval: {}\n"
      "receivers:\n- name: default\n  webhook_configs:\n",
      times.resolve, times.group_by, times.wait, times.interval, times.repeat);
  for (int i = 0; i < webhooks; ++i) {
    text += fmt::format("  - url: http://hook{}/\n", i);
  }
  return text + std::string(more);
}

// A line of Simulation::told(): the flush in tenths of a second, then its alerts.
std::string told(double seconds, const std::vector<TestAlert>& alerts) {
  std::string line = std::to_string((at_ms(seconds) - kSimulationStartMs) / 100);
  for (const TestAlert& one : alerts) line += " " + told_text(one.alert);
  return line;
}

void expect_merged(bool with_ends) {
  Simulation run(yaml({}));
  const auto test = [&](double from, double to) {
    return with_ends ? named("test").active(from, to) : named("test").active(from);
  };
  run.push(1, {test(1.1, 4.1)});
  run.push(1.2, {named("test").active(1)});
  run.push(2.1, {test(2, 5).annotate("ann", "v1")});
  run.push(3.6, {test(1.5, 4.5).annotate("ann", "v2")});
  run.push(4.6, {named("test").active(3, 4.5).annotate("ann", "v2")});
  run.push(4.8, {named("test").active(2.9, 4.8).annotate("ann", "v3")});
  run.push(4.8, {named("test").active(2.9, 4.1).annotate("ann", "v3")});
  run.push(5.3, {test(5, 8)});
  run.run(6.5);
  EXPECT_THAT(run.told(), ElementsAre(told(2, {named("test").active(1)}),
                                      told(3, {named("test").active(1).annotate("ann", "v1")}),
                                      told(4, {named("test").active(1).annotate("ann", "v2")}),
                                      told(5, {named("test").active(1, 4.8).annotate("ann", "v3")}),
                                      // An emptied group keeps its pace for a while.
                                      told(6, {named("test").active(5)})));
}

TEST(AlertmanagerTimelinesTest, AlertsMerge) { expect_merged(false); }

TEST(AlertmanagerTimelinesTest, AlertsWithEndsMerge) { expect_merged(true); }

TEST(AlertmanagerTimelinesTest, Repeats) {
  Simulation run(yaml({}));
  run.push(1, {named("test").active(1)});
  run.push(3.5, {named("test").active(1, 3)});
  run.run(5.5);
  EXPECT_THAT(run.told(),
              ElementsAre(told(2, {named("test").active(1)}), told(3, {named("test").active(1)}),
                          told(4, {named("test").active(1, 3)})));
  std::vector<std::string> ids;
  for (const auto& one : run.all_told()) ids.push_back(one.notification.dedup_id);
  EXPECT_THAT(ids, ElementsAre("0", std::to_string(at_ms(2.005)), std::to_string(at_ms(3.005))));
}

// The one that fails is tried anew and does not make the other one be told again.
TEST(AlertmanagerTimelinesTest, Retries) {
  Simulation run(yaml({.interval = "2s", .repeat = "1h"}, 2));
  run.answer("webhook[1]", [](const DeliveryAttempt&, int64_t now) -> SendOutcome {
    if (now < at_ms(4.5)) return {.kind = SendOutcome::Kind::kRetry, .message = "503"};
    return {};
  });
  run.push(1, {named("test1")});
  run.run(9);
  EXPECT_THAT(run.told("webhook[0]"), ElementsAre(told(2, {named("test1").active(1)})));
  EXPECT_THAT(run.told("webhook[1]"), ElementsAre(told(2, {named("test1").active(1)})));
  ASSERT_EQ(run.all_told().size(), 2U);
  EXPECT_GE(run.all_told()[1].at_ms, at_ms(4.5));
  EXPECT_LE(run.all_told()[1].at_ms, at_ms(7));
}

TEST(AlertmanagerTimelinesTest, Batches) {
  Simulation run(yaml({.group_by = "[]", .repeat = "4900ms"}));
  run.push(1.1, {named("test1").active(1)});
  run.push(1.7, {named("test5").active(1)});
  run.push(3.3,
           {named("test2").active(1.5), named("test3").active(1.5), named("test4").active(1.6)});
  run.run(9.9);
  const std::vector<TestAlert> all = {named("test1").active(1), named("test2").active(1.5),
                                      named("test3").active(1.5), named("test4").active(1.6),
                                      named("test5").active(1)};
  EXPECT_THAT(run.told(),
              ElementsAre(told(2.1, {named("test1").active(1), named("test5").active(1)}),
                          told(4.1, all), told(9.1, all)));
}

TEST(AlertmanagerTimelinesTest, ResolvedByTimeout) {
  Simulation run(yaml({.interval = "5s", .repeat = "4h"}));
  const TestAlert v1{{"alertname", "test"}, {"lbl", "v1"}};
  const TestAlert v2{{"alertname", "test"}, {"lbl", "v2"}};
  run.push(1, {v1, v2});
  run.run(30);
  EXPECT_THAT(run.told(), ElementsAre(told(2, {v1.active(1), v2.active(1)}),
                                      told(12, {v1.active(1, 11), v2.active(1, 11)})));
}

TEST(AlertmanagerTimelinesTest, ResolvedOnesAreTakenOutForWhoDoesNotWantThem) {
  Simulation run(yaml({.interval = "5s", .repeat = "4h"}, 2, "    send_resolved: false\n"));
  const TestAlert v1{{"alertname", "test"}, {"lbl", "v1"}};
  const TestAlert v2{{"alertname", "test"}, {"lbl", "v2"}};
  const TestAlert v3{{"alertname", "test"}, {"lbl", "v3"}};
  run.push(1, {v1, v2});
  run.push(3, {v1.active(1, 4), v3});
  run.push(8, {v3.active(3)});
  run.run(13);
  EXPECT_THAT(run.told("webhook[0]"),
              ElementsAre(told(2, {v1.active(1), v2.active(1)}),
                          told(7, {v1.active(1, 4), v2.active(1), v3.active(3)}),
                          told(12, {v2.active(1, 11), v3.active(3)})));
  EXPECT_THAT(run.told("webhook[1]"), ElementsAre(told(2, {v1.active(1), v2.active(1)}),
                                                  told(7, {v2.active(1), v3.active(3)})));
}

// Whoever fired long ago waits for nobody.
TEST(AlertmanagerTimelinesTest, AlertOlderThanTheWaitIsToldAtOnce) {
  Simulation run(yaml({.wait = "30s", .interval = "5m", .repeat = "4h", .resolve = "1h"}));
  run.push(100, {named("old").active(50)});
  run.push(100, {named("young").active(90)});
  run.run(140);
  EXPECT_THAT(run.told(), ElementsAre(told(100, {named("old").active(50)}),
                                      told(130, {named("young").active(90)})));
}

TEST(AlertmanagerTimelinesTest, ReloadForgetsNothing) {
  const std::string text = yaml({.group_by = "[]", .interval = "6s", .repeat = "10m"});
  Simulation run(text);
  run.push(1, {named("test1")});
  run.reload(3, text);
  run.push(4, {named("test2")});
  run.run(10);
  EXPECT_THAT(run.told(),
              ElementsAre(told(2, {named("test1").active(1)}),
                          told(9, {named("test1").active(1), named("test2").active(4)})));
}

TEST(AlertmanagerTimelinesTest, SlowWebhookIsTriedAgain) {
  Simulation run(yaml({.interval = "1m", .repeat = "1m"}));
  run.latency("webhook[0]", 500);
  run.answer("webhook[0]", [](const DeliveryAttempt&, int64_t now) -> SendOutcome {
    if (now < at_ms(3)) return {.kind = SendOutcome::Kind::kRetry, .message = "timed out"};
    return {};
  });
  run.push(1, {named("test1")});
  run.run(8);
  EXPECT_THAT(run.told(), ElementsAre(told(2, {named("test1").active(1)})));
}

TEST(AlertmanagerTimelinesTest, SendsUntilTheDeadlineThenWithTheNextFlush) {
  Simulation run(yaml({.interval = "20s", .repeat = "4h", .resolve = "1h"}));
  int attempts = 0;
  run.answer("webhook[0]", [&](const DeliveryAttempt&, int64_t now) -> SendOutcome {
    if (now < at_ms(22)) {
      ++attempts;
      return {.kind = SendOutcome::Kind::kRetry, .message = "500"};
    }
    return {};
  });
  run.push(1, {named("test1")});
  run.run(30);
  EXPECT_GT(attempts, 4);
  EXPECT_LT(attempts, 15);
  EXPECT_THAT(run.told(), ElementsAre(told(22, {named("test1").active(1)})));
}

TEST(AlertmanagerTimelinesTest, WhatIsRefusedIsNotTriedBeforeTheNextFlush) {
  Simulation run(yaml({.interval = "10s", .repeat = "4h", .resolve = "1h"}));
  int attempts = 0;
  run.answer("webhook[0]", [&](const DeliveryAttempt&, int64_t) -> SendOutcome {
    return ++attempts > 1 ? SendOutcome{}
                          : SendOutcome{.kind = SendOutcome::Kind::kFailed, .message = "400"};
  });
  run.push(1, {named("test1")});
  run.run(11.9);
  EXPECT_EQ(attempts, 1);
  run.run(13);
  EXPECT_THAT(run.told(), ElementsAre(told(12, {named("test1").active(1)})));
}

constexpr char kJobDown[] =
    "inhibit_rules:\n"
    "- source_matchers: [alertname=JobDown]\n"
    "  target_matchers: [alertname=InstanceDown]\n"
    "  equal: [job, zone]\n";

TestAlert zoned(std::string_view name, std::string_view zone) {
  return TestAlert{{"alertname", name}, {"job", "testjob"}, {"zone", zone}};
}

TEST(AlertmanagerTimelinesTest, Inhibits) {
  Simulation run(yaml({.group_by = "[]", .repeat = "1s"}, 1, kJobDown));
  run.push(1, {zoned("test1", "aa"), zoned("InstanceDown", "aa"), zoned("InstanceDown", "ab")});
  run.push(2.2, {zoned("JobDown", "aa")});
  run.push(3.6, {zoned("JobDown", "aa").active(2.2, 3.6)});
  run.run(4.9);
  EXPECT_THAT(
      run.told(),
      ElementsAre(
          told(2, {zoned("InstanceDown", "aa").active(1), zoned("InstanceDown", "ab").active(1),
                   zoned("test1", "aa").active(1)}),
          told(3, {zoned("InstanceDown", "ab").active(1), zoned("JobDown", "aa").active(2.2),
                   zoned("test1", "aa").active(1)}),
          told(4, {zoned("InstanceDown", "aa").active(1), zoned("InstanceDown", "ab").active(1),
                   zoned("JobDown", "aa").active(2.2, 3.6), zoned("test1", "aa").active(1)})));
}

TEST(AlertmanagerTimelinesTest, InhibitedAndInhibitingResolveTogether) {
  Simulation run(yaml({.group_by = "[]", .repeat = "1s"}, 1, kJobDown));
  run.push(1, {zoned("InstanceDown", "aa"), zoned("JobDown", "aa")});
  run.push(2.6,
           {zoned("JobDown", "aa").active(1, 2.6), zoned("InstanceDown", "aa").active(1, 2.6)});
  run.run(6);
  EXPECT_THAT(run.told(), ElementsAre(told(2, {zoned("JobDown", "aa").active(1)}),
                                      told(3, {zoned("InstanceDown", "aa").active(1, 2.6),
                                               zoned("JobDown", "aa").active(1, 2.6)})));
}

TEST(AlertmanagerTimelinesTest, Silences) {
  Simulation run(yaml({.group_by = "[]"}));
  const std::vector<TestAlert> both = {named("test1").active(1), named("test2").active(1)};
  run.push(1, both);
  run.silence(2.3, 2.5, 4.5, model::MatchOp::kEqual, "test1");
  run.run(5.9);
  EXPECT_THAT(run.told(), ElementsAre(told(2, both), told(3, {named("test2").active(1)}),
                                      told(4, {named("test2").active(1)}), told(5, both)));
}

TEST(AlertmanagerTimelinesTest, SilenceThatIsExpiredSilencesNoMore) {
  Simulation run(yaml({.group_by = "[]"}));
  const std::vector<TestAlert> both = {named("test1").active(1), named("test2").active(1)};
  std::string id;
  run.push(1, both);
  run.silence(1.3, 1.5, 100, model::MatchOp::kRegex, ".+", &id);
  run.expire_silence(3.5, &id);
  run.run(4.9);
  EXPECT_THAT(run.told(), ElementsAre(told(4, both)));
}

TEST(AlertmanagerTimelinesTest, StatusIsOfNow) {
  Simulation run(yaml({.group_by = "[]", .interval = "10m", .repeat = "1h"}, 1,
                      "inhibit_rules:\n- source_matchers: [severity=critical]\n"
                      "  target_matchers: [severity=warning]\n  equal: [alertname]\n"));
  const TestAlert warning{{"alertname", "test1"}, {"severity", "warning"}};
  const TestAlert critical{{"alertname", "test1"}, {"severity", "critical"}};
  run.push(0.5, {warning});
  run.run(3);
  auto views = run.dispatcher().alerts({}, run.now_ms());
  ASSERT_TRUE(views);
  ASSERT_EQ(views->size(), 1U);
  EXPECT_EQ(views->front().state, AlertState::kActive);
  EXPECT_THAT(views->front().receivers, ElementsAre("default"));

  std::string id;
  run.silence(3, 3, 100, model::MatchOp::kEqual, "test1", &id);
  run.push(4, {critical});
  run.run(5);
  views = run.dispatcher().alerts({}, run.now_ms());
  ASSERT_EQ(views->size(), 2U);
  for (const AlertView& view : *views) {
    EXPECT_EQ(view.state, AlertState::kSuppressed);
    EXPECT_THAT(view.silenced_by, ElementsAre(id));
    if (view.fingerprint != warning.fingerprint()) continue;
    EXPECT_THAT(view.inhibited_by, ElementsAre(fmt::format("{:016x}", critical.fingerprint())));
  }
  run.expire_silence(6, &id);
  run.run(7);
  views = run.dispatcher().alerts({.inhibited = false}, run.now_ms());
  ASSERT_EQ(views->size(), 1U);
  EXPECT_EQ(views->front().fingerprint, critical.fingerprint());
  EXPECT_EQ(views->front().state, AlertState::kActive);
}

TEST(AlertmanagerTimelinesTest, FiltersByMatchersAndReceiver) {
  Simulation run(yaml({.group_by = "[]"}));
  run.push(0.5, {TestAlert{{"alertname", "test1"}, {"severity", "warning"}},
                 TestAlert{{"system", "foo"}, {"severity", "critical"}}});
  run.run(1);
  AlertFilter filter;
  filter.matchers.push_back(*model::Matcher::create(model::MatchOp::kEqual, "alertname", "test1"));
  EXPECT_EQ(run.dispatcher().alerts(filter, run.now_ms())->size(), 1U);
  EXPECT_EQ(run.dispatcher().groups(filter, run.now_ms())->size(), 1U);
  filter.receiver_regex = "def";
  EXPECT_THAT(*run.dispatcher().alerts(filter, run.now_ms()), IsEmpty());
  filter.receiver_regex = "def.*";
  EXPECT_EQ(run.dispatcher().alerts(filter, run.now_ms())->size(), 1U);
  filter.receiver_regex = "(";
  EXPECT_EQ(run.dispatcher().alerts(filter, run.now_ms()).error().code, Code::kInvalidArgument);
}

TEST(AlertmanagerTimelinesTest, LabelsMayBeUtf8) {
  Simulation run(
      "route:\n  receiver: none\n  routes:\n  - receiver: default\n"
      "    matchers: ['{\"foo🙂\"=bar}']\n    group_by: ['foo🙂']\n    group_wait: 1s\n"
      "receivers:\n- name: none\n- name: default\n  webhook_configs:\n  - url: http://hook/\n");
  run.push(1, {TestAlert{{"foo🙂", "bar"}}.active(1)});
  run.run(3);
  EXPECT_THAT(run.told(), ElementsAre(told(2, {TestAlert{{"foo🙂", "bar"}}.active(1)})));
  EXPECT_EQ(run.all_told()[0].notification.group_key, R"({}/{foo🙂="bar"}:{foo🙂="bar"})");
}

TEST(AlertmanagerTimelinesTest, WhatMatchesNoRouteGoesToTheRootAndContinueToBoth) {
  Simulation run(
      "route:\n  receiver: default\n  group_wait: 1s\n  routes:\n"
      "  - receiver: first\n    matchers: [team=a]\n    continue: true\n"
      "  - receiver: second\n    matchers: [team=~\"a|b\"]\n"
      "receivers:\n"
      "- name: default\n  webhook_configs:\n  - url: http://a/\n"
      "- name: first\n  webhook_configs:\n  - url: http://b/\n"
      "- name: second\n  webhook_configs:\n  - url: http://c/\n");
  run.push(1, {TestAlert{{"alertname", "x"}, {"team", "a"}}});
  run.push(1, {TestAlert{{"alertname", "x"}, {"team", "b"}}});
  run.push(1, {TestAlert{{"alertname", "x"}, {"team", "c"}}});
  run.run(5);
  EXPECT_EQ(run.told("webhook[0]", "default").size(), 1U);
  EXPECT_EQ(run.told("webhook[0]", "first").size(), 1U);
  ASSERT_EQ(run.told("webhook[0]", "second").size(), 1U);
}

constexpr char kNights[] =
    "time_intervals:\n- name: always\n  time_intervals: [{times: [{start_time: '00:00', "
    "end_time: '24:00'}]}]\n"
    "- name: never\n  time_intervals: [{years: ['1990']}]\n";

TEST(AlertmanagerTimelinesTest, MuteIntervalsAreMuteAndActiveOnesAreNot) {
  for (const auto& [key, interval, heard] : {std::tuple("mute_time_intervals", "always", false),
                                             std::tuple("mute_time_intervals", "never", true),
                                             std::tuple("active_time_intervals", "always", true),
                                             std::tuple("active_time_intervals", "never", false)}) {
    Simulation run(
        fmt::format("route:\n  receiver: default\n  group_wait: 1s\n  routes:\n"
                    "  - receiver: default\n    {}: [{}]\n"
                    "receivers:\n- name: default\n  webhook_configs:\n  - url: http://a/\n{}",
                    key, interval, kNights));
    run.push(1, {named("test")});
    run.run(5);
    EXPECT_EQ(run.told().size(), heard ? 1U : 0U) << key << " " << interval;
    const auto views = run.dispatcher().alerts({}, run.now_ms());
    EXPECT_EQ(views->front().muted_by.empty(), heard);
  }
}

}  // namespace
}  // namespace binnacle::watch::alerts
