// Random alerts, sends that fail and kills at any step, against a naive account of what fires when:
// every notification says what holds, nothing that was recorded is told twice, nothing is lost.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "store/state/testing/state_fixture.h"
#include "watch/alerts/testing/simulation.h"

namespace binnacle::watch::alerts {
namespace {

constexpr char kYaml[] = R"(
global:
  resolve_timeout: 30s
route:
  receiver: default
  group_by: [alertname]
  group_wait: 2s
  group_interval: 10s
  repeat_interval: 45s
receivers:
- name: default
  webhook_configs:
  - url: http://one/
  - url: http://two/
)";
constexpr int64_t kWaitMs = 2'000;
constexpr int64_t kIntervalMs = 10'000;
constexpr int64_t kRepeatMs = 45'000;
constexpr int64_t kTimeoutMs = 30'000;
constexpr double kPushesEnd = 300;
constexpr double kEnd = 420;

std::vector<store::state::Migration> migrations() {
  const auto all = alert_migrations();
  return {all.begin(), all.end()};
}

// Who fires when, by what was pushed alone.
class Account {
 public:
  void push(const std::string& who, int64_t now_ms, bool firing) {
    pushes_[who].emplace_back(now_ms, firing);
  }
  bool fires(const std::string& who, int64_t now_ms) const {
    const auto it = pushes_.find(who);
    if (it == pushes_.end()) return false;
    bool firing = false;
    for (const auto& [when_ms, fires_then] : it->second) {
      if (when_ms <= now_ms) firing = fires_then && now_ms < when_ms + kTimeoutMs;
    }
    return firing;
  }
  std::set<std::string> all_firing(const std::string& group, int64_t now_ms) const {
    std::set<std::string> firing;
    for (const auto& [who, pushes] : pushes_) {
      if (who.starts_with(group + "/") && fires(who, now_ms)) firing.insert(who);
    }
    return firing;
  }
  // Times over which somebody fires without a break for longer than `least_ms`.
  std::vector<std::tuple<std::string, int64_t, int64_t>> long_spells(int64_t least_ms) const {
    std::vector<std::tuple<std::string, int64_t, int64_t>> spells;
    for (const auto& [who, pushes] : pushes_) {
      int64_t began_ms = 0;
      for (int64_t ms = at_ms(0); ms <= at_ms(kEnd); ms += 500) {
        const bool firing = fires(who, ms);
        if (firing && began_ms == 0) began_ms = ms;
        if (firing || began_ms == 0) continue;
        if (ms - began_ms > least_ms) spells.emplace_back(who, began_ms, ms);
        began_ms = 0;
      }
    }
    return spells;
  }

 private:
  std::map<std::string, std::vector<std::pair<int64_t, bool>>> pushes_;
};

std::string who(const model::Alert& alert) {
  return fmt::format("{}/{}", alert.labels.get("alertname"), alert.labels.get("instance"));
}

using Sets = std::pair<std::set<std::string>, std::set<std::string>>;  // firing, resolved

Sets sets_of(const Notification& notification) {
  Sets sets;
  for (const model::Alert& alert : notification.alerts) {
    (alert.resolved_at(notification.now_ms) ? sets.second : sets.first).insert(who(alert));
  }
  return sets;
}

void plan(Simulation& run, Account& account, SeededRandom& random) {
  for (double at = 1; at < kPushesEnd; at += 0.5 + static_cast<double>(random.below(40)) / 10) {
    const auto group = fmt::format("g{}", random.below(3));
    const auto instance = fmt::format("i{}", random.below(4));
    const bool firing = random.below(3) != 0;
    const TestAlert alert{{"alertname", group}, {"instance", instance}};
    run.at(at, [&run, &account, alert, firing] {
      model::Alert sent = alert.alert;
      if (!firing) sent.ends_at_ms = run.now_ms();
      if (!firing) sent.starts_at_ms = run.now_ms() - 1;
      account.push(who(sent), run.now_ms(), firing);
      CHECK(run.dispatcher().put({sent}, run.now_ms()));
    });
    if (random.below(6) == 0) {
      run.at(at + static_cast<double>(random.below(3000)) / 1000, [&run] { run.restart(); });
    }
  }
}

class RestartTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(RestartTest, NothingIsLostAndNothingRecordedIsRepeated) {
  store::state::StateFixture state(migrations());
  Simulation run(kYaml, {.flap_changes = 0}, state.store.get());
  SeededRandom random(GetParam());
  Account account;
  run.latency("webhook[1]", 700);
  run.answer("webhook[1]", [&](const DeliveryAttempt&, int64_t) -> SendOutcome {
    if (random.below(3) != 0) return {};
    return {.kind = random.below(2) == 0 ? SendOutcome::Kind::kRetry : SendOutcome::Kind::kFailed,
            .message = "bad luck"};
  });
  plan(run, account, random);
  run.run(kEnd);

  std::map<std::pair<std::string, std::string>, std::pair<int64_t, Sets>> last;
  for (const Simulation::Told& told : run.all_told()) {
    const Notification& n = told.notification;
    const std::string group(n.group_labels.get("alertname"));
    const Sets sets = sets_of(n);
    EXPECT_EQ(sets.first, account.all_firing(group, n.now_ms)) << group << " at " << n.now_ms;
    const auto before = last.find({group, told.integration});
    if (before != last.end() && before->second.second == sets) {
      EXPECT_GT(n.now_ms, before->second.first + kRepeatMs) << group << " " << told.integration;
    }
    last[{group, told.integration}] = {told.at_ms, sets};
  }
  for (const auto& [key, told] : last) {
    EXPECT_TRUE(told.second.first.empty()) << key.first << " " << key.second;
  }
  // A refusal waits for the next flush; so do several in a row.
  for (const auto& [name, from, to] : account.long_spells(kWaitMs + kIntervalMs + 1'000)) {
    const bool heard = std::ranges::any_of(
        run.all_told(), [&, name = name, from = from, to = to](const auto& told) {
          return told.integration == "webhook[0]" && told.notification.now_ms <= to &&
                 told.at_ms >= from - kRepeatMs && sets_of(told.notification).first.contains(name);
        });
    EXPECT_TRUE(heard) << name << " from " << from << " to " << to;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RestartTest, ::testing::Range<uint64_t>(1, 9));

TEST(RestartOnceTest, TimersGoOnWhereTheyWere) {
  store::state::StateFixture state(migrations());
  Simulation run(kYaml, {}, state.store.get());
  run.push(1, {named("a")});
  run.at(2, [&run] { run.restart(); });
  run.at(20, [&run] { run.restart(); });
  run.push(24, {named("a"), TestAlert{{"alertname", "a"}, {"x", "1"}}});
  run.run(40);
  std::vector<int64_t> seconds;
  for (const auto& told : run.all_told()) {
    if (told.integration == "webhook[0]") {
      seconds.push_back((told.notification.now_ms - kSimulationStartMs) / 1000);
    }
  }
  EXPECT_EQ(seconds, (std::vector<int64_t>{3, 33}));
}

// The send was cut off by the kill: it is sent at once after it, not a group_interval later.
TEST(RestartOnceTest, WhatWasBeingSentIsSentAnew) {
  store::state::StateFixture state(migrations());
  Simulation run(kYaml, {}, state.store.get());
  run.latency("webhook[0]", 1'000);
  run.push(1, {named("a")});
  run.at(3.5, [&run] { run.restart(); });
  run.run(8);
  ASSERT_EQ(run.told("webhook[0]").size(), 1U);
  EXPECT_EQ(run.all_told().back().notification.dedup_id, "0");
  EXPECT_LT(run.all_told().back().at_ms, at_ms(5));
  EXPECT_EQ(run.told("webhook[1]").size(), 1U);
}

TEST(RestartOnceTest, SilencesAcknowledgementsAndFlapsAreThere) {
  store::state::StateFixture state(migrations());
  Simulation run(kYaml, {.flap_changes = 2}, state.store.get());
  const TestAlert flappy{{"alertname", "f"}};
  run.push(1, {named("a"), flappy});
  run.acknowledge(2, named("a"));
  run.push(3, {flappy.active(1, 3)});
  run.push(4, {flappy.active(4)});
  run.run(5);
  run.restart();
  EXPECT_NE(run.dispatcher().acknowledgement(named("a").fingerprint(), run.now_ms()), nullptr);
  const auto views = run.dispatcher().alerts({}, run.now_ms());
  ASSERT_EQ(views->size(), 2U);
  for (const AlertView& view : *views) {
    EXPECT_EQ(view.flapping, view.fingerprint == flappy.fingerprint());
  }
}

}  // namespace
}  // namespace binnacle::watch::alerts
