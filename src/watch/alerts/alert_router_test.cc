// The whole path with real threads: an alert goes in, is grouped, told, recorded, silenced.
#include "watch/alerts/alert_router.h"

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "watch/alerts/testing/router_fixture.h"

namespace binnacle::watch::alerts {
namespace {

constexpr char kYaml[] = R"(
route:
  receiver: team
  group_by: [alertname]
  group_wait: 20ms
  group_interval: 100ms
  repeat_interval: 1h
receivers:
  - name: team
    webhook_configs:
      - url: http://one/
)";

model::Alert alert_of(std::string_view name, std::string_view instance) {
  return {.labels = model::Labels{{"alertname", name}, {"instance", instance}}};
}

TEST(AlertRouterTest, AlertIsToldAndStaysToldOverARestart) {
  RouterFixture fixture(kYaml);
  fixture.router->start();
  ASSERT_TRUE(fixture.router->put({alert_of("Down", "a"), alert_of("Down", "b")}));
  ASSERT_TRUE(fixture.receivers.await(1));
  const auto told = fixture.receivers.take();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].notification.group_key, R"({}:{alertname="Down"})");
  EXPECT_EQ(told[0].notification.alerts.size(), 2U);
  EXPECT_EQ(told[0].notification.reason, "first");

  fixture.router->stop();
  fixture.open();
  fixture.router->start();
  ASSERT_TRUE(fixture.router->put({alert_of("Up", "c")}));
  ASSERT_TRUE(fixture.receivers.await(1));
  const auto after = fixture.receivers.take();
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].notification.group_key, R"({}:{alertname="Up"})");
  const auto views = fixture.router->alerts({});
  ASSERT_TRUE(views);
  EXPECT_EQ(views->size(), 3U);
}

TEST(AlertRouterTest, SilencedAlertIsNotTold) {
  RouterFixture fixture(kYaml);
  fixture.router->start();
  Silence silence;
  silence.matchers.push_back(*model::Matcher::create(model::MatchOp::kEqual, "alertname", "Down"));
  silence.ends_at_ms = fixture.state.system_clock.wall_ms() + 60'000;
  const auto id = fixture.router->set_silence(silence);
  ASSERT_TRUE(id);
  ASSERT_TRUE(fixture.router->put({alert_of("Down", "a")}));
  ASSERT_TRUE(fixture.router->put({alert_of("Up", "a")}));
  ASSERT_TRUE(fixture.receivers.await(1));
  for (const auto& told : fixture.receivers.take()) {
    EXPECT_EQ(told.notification.group_labels.get("alertname"), "Up");
  }
  const auto views = fixture.router->alerts({});
  ASSERT_TRUE(views);
  ASSERT_EQ(views->size(), 2U);
  int silenced = 0;
  for (const AlertView& view : *views) {
    silenced += view.silenced_by == std::vector<std::string>{*id} ? 1 : 0;
  }
  EXPECT_EQ(silenced, 1);
  ASSERT_TRUE(fixture.router->expire_silence(*id));
  ASSERT_TRUE(fixture.receivers.await(1));
  EXPECT_EQ(fixture.receivers.take()[0].notification.group_labels.get("alertname"), "Down");
  const auto lines = fixture.router->history({});
  ASSERT_TRUE(lines);
  EXPECT_GE(lines->size(), 4U);
}

int64_t count(RouterFixture& fixture) {
  int64_t rows = 0;
  CHECK(fixture.state.store->read([&](store::state::Database& db) -> Status {
    TRY_ASSIGN(rows, db.query_integer("SELECT count(*) FROM alerts JOIN alert_times"
                                      " USING (fingerprint)"));
    return {};
  }));
  return rows;
}

TEST(AlertRouterTest, AnsweredMeansWritten) {
  RouterFixture fixture(kYaml);
  fixture.router->start();
  for (int i = 1; i <= 5; ++i) {
    ASSERT_TRUE(fixture.router->put({alert_of("Down", std::to_string(i))}));
    EXPECT_EQ(count(fixture), i);
  }
  // What is wrong does not keep the rest out.
  const Status partly = fixture.router->put({{}, alert_of("Down", "6")});
  EXPECT_EQ(partly.error().code, Code::kInvalidArgument);
  EXPECT_EQ(count(fixture), 6);
}

TEST(AlertRouterTest, WhatCannotBeWrittenIsRefusedAndWrittenLater) {
  RouterFixture fixture(kYaml);
  fixture.router->start();
  const auto execute = [&](store::state::Sql sql) {
    CHECK(
        fixture.state.store->write([sql](store::state::Database& db) { return db.execute(sql); }));
  };
  execute("CREATE TRIGGER full BEFORE INSERT ON alerts BEGIN SELECT RAISE(FAIL, 'full'); END");
  const Status refused = fixture.router->put({alert_of("Down", "a")});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("full"), std::string::npos);
  EXPECT_EQ(count(fixture), 0);
  // It is told all the same.
  EXPECT_TRUE(fixture.receivers.await(1));
  execute("DROP TRIGGER full");
  ASSERT_TRUE(fixture.router->put({alert_of("Down", "b")}));
  EXPECT_EQ(count(fixture), 2);
}

TEST(AlertRouterTest, WhatIsPutForLaterIsHeardOfWhenItIsWritten) {
  RouterFixture fixture(kYaml);
  std::promise<Status> before;
  fixture.router->put_later({alert_of("Down", "a")},
                            [&](const Status& put) { before.set_value(put); });
  EXPECT_EQ(before.get_future().get().error().code, Code::kUnavailable) << "nothing writes yet";
  fixture.router->start();
  constexpr size_t kPuts = 200;
  std::vector<std::promise<Status>> puts(kPuts);
  for (size_t i = 0; i < kPuts; ++i) {
    fixture.router->put_later({alert_of("Down", std::to_string(i)), {}},
                              [&, i](const Status& put) { puts[i].set_value(put); });
  }
  for (std::promise<Status>& put : puts) {
    EXPECT_EQ(put.get_future().get().error().code, Code::kInvalidArgument) << "one has no labels";
  }
  EXPECT_EQ(fixture.router->alerts({})->size(), kPuts);
  fixture.router->stop();
  fixture.open();
  EXPECT_EQ(fixture.router->alerts({})->size(), kPuts);
}

// Whatever the disk takes for what came before: here it takes the first ones at most until all have
// come.
TEST(AlertRouterTest, AWaitBeginsWhenTheAlertComes) {
  constexpr size_t kPuts = 20;
  SimulatedClock clock;
  RouterFixture fixture(kYaml);
  fixture.clock = &clock;
  fixture.open();
  fixture.router->start();
  std::promise<void> disk_is_busy;
  std::promise<void> go_on;
  std::thread busy([&] {
    EXPECT_TRUE(fixture.state.store->write([&](store::state::Database&) -> Status {
      disk_is_busy.set_value();
      go_on.get_future().wait();
      return {};
    }));
  });
  disk_is_busy.get_future().wait();
  std::map<std::string, int64_t> came_ms;
  std::vector<std::promise<Status>> puts(kPuts);
  for (size_t i = 0; i < kPuts; ++i) {
    const std::string name = std::to_string(i);
    came_ms[name] = clock.wall_ms();
    fixture.router->put_later({alert_of(name, "a")},
                              [&, i](const Status& put) { puts[i].set_value(put); });
    clock.advance_ms(100);
  }
  go_on.set_value();
  busy.join();
  for (std::promise<Status>& put : puts) ASSERT_TRUE(put.get_future().get());
  const auto views = fixture.router->alerts({});
  ASSERT_TRUE(views);
  ASSERT_EQ(views->size(), kPuts);
  for (const AlertView& view : *views) {
    const std::string name(view.alert.labels.get("alertname"));
    EXPECT_EQ(view.alert.starts_at_ms, came_ms[name]) << name;
  }
}

TEST(AlertRouterTest, EventsArePublishedWithTheCommit) {
  RouterFixture fixture(kYaml);
  store::state::EventStore events(*fixture.state.store, fixture.state.system_clock,
                                  fixture.registry);
  fixture.open(&events);
  fixture.receivers.answer("http://one/", [](const Notification&) -> SendOutcome {
    return {.kind = SendOutcome::Kind::kFailed, .message = "404"};
  });
  fixture.router->start();
  model::Alert alert = alert_of("Down", "a");
  ASSERT_TRUE(fixture.router->put({alert}));
  ASSERT_TRUE(fixture.router->put({alert}));
  alert.ends_at_ms = 1;
  ASSERT_TRUE(fixture.router->put({alert}));
  const auto seen = events.recent("alert.", 0, 10);
  ASSERT_TRUE(seen);
  ASSERT_EQ(seen->size(), 2U);
  EXPECT_EQ((*seen)[0].kind, "alert.resolved");
  EXPECT_EQ((*seen)[1].kind, "alert.firing");
  EXPECT_EQ((*seen)[1].subject, "Down");
  fixture.router.reset();
}

TEST(AlertRouterTest, HistoryIsSearchedAndKeptWithinItsBounds) {
  RouterFixture fixture(kYaml);
  fixture.router->start();
  for (const char* name : {"a", "b", "c", "d"})
    ASSERT_TRUE(fixture.router->put({alert_of(name, "x")}));
  AlertHistoryQuery query{.kind = "firing"};
  EXPECT_EQ(fixture.router->history(query)->size(), 4U);
  query.matchers.push_back(*model::Matcher::create(model::MatchOp::kRegex, "alertname", "a|b"));
  ASSERT_EQ(fixture.router->history(query)->size(), 2U);
  EXPECT_EQ(fixture.router->history(query)->front().labels.get("alertname"), "b");
  query.before_id = fixture.router->history(query)->front().id;
  EXPECT_EQ(fixture.router->history(query)->size(), 1U);
  fixture.router->stop();
  AlertHistory history(*fixture.state.store);
  const int64_t now = fixture.state.system_clock.wall_ms();
  EXPECT_GE(*history.prune({.history_max_count = 1}, now), 3);
  EXPECT_EQ(history.search({}, now)->size(), 1U);
  EXPECT_EQ(*history.prune({.history_max_age_ms = -1}, now + 1), 1);
}

TEST(AlertRouterTest, TestNotificationSaysHowItWent) {
  RouterFixture fixture(kYaml);
  EXPECT_EQ(fixture.router->test_receiver("nobody").error().code, Code::kNotFound);
  auto results = fixture.router->test_receiver("team");
  ASSERT_TRUE(results);
  ASSERT_EQ(results->size(), 1U);
  EXPECT_EQ(results->front().integration, "webhook[0]");
  EXPECT_EQ(results->front().error, "");
  EXPECT_EQ(fixture.receivers.take().size(), 1U);
  fixture.receivers.answer("http://one/", [](const Notification&) -> SendOutcome {
    return {.kind = SendOutcome::Kind::kFailed, .message = "404"};
  });
  results = fixture.router->test_receiver("team");
  EXPECT_EQ(results->front().error, "404");
}

TEST(AlertRouterTest, AReloadBringsItsBounds) {
  AlertLimits narrow;
  narrow.max_alerts = 1;
  narrow.max_silences = 0;
  narrow.flap_changes = 1;
  RouterFixture fixture(kYaml, narrow);
  fixture.router->start();
  ASSERT_TRUE(fixture.router->put({alert_of("Down", "a")}));
  EXPECT_EQ(fixture.router->put({alert_of("Up", "a")}).error().code, Code::kInvalidArgument);
  Silence silence;
  silence.matchers.push_back(*model::Matcher::create(model::MatchOp::kEqual, "alertname", "None"));
  silence.ends_at_ms = fixture.state.system_clock.wall_ms() + 60'000;
  EXPECT_EQ(fixture.router->set_silence(silence).error().code, Code::kResourceExhausted);
  ASSERT_TRUE(fixture.receivers.await(1));
  EXPECT_EQ(fixture.receivers.take()[0].notification.external_url, "http://binnacle");

  const auto reload = [&](const AlertLimits& limits) {
    fixture.router->reload({.limits = limits, .external_url = "http://elsewhere"}, fixture.config,
                           fake_notifiers(fixture.receivers));
  };
  reload({});
  EXPECT_TRUE(fixture.router->put({alert_of("Up", "a")}));
  EXPECT_TRUE(fixture.router->set_silence(silence));
  ASSERT_TRUE(fixture.receivers.await(1));
  EXPECT_EQ(fixture.receivers.take()[0].notification.external_url, "http://elsewhere");

  // What is there stays.
  reload(narrow);
  EXPECT_EQ(fixture.router->alerts({})->size(), 2U);
  EXPECT_EQ(fixture.router->silences({}).size(), 1U);
  EXPECT_TRUE(fixture.router->put({alert_of("Up", "a")})) << "a renewal";
  EXPECT_FALSE(fixture.router->put({alert_of("Up", "b")}));
}

TEST(AlertRouterTest, AcknowledgementIsOfAnActiveAlert) {
  RouterFixture fixture(kYaml);
  fixture.router->start();
  const model::Alert alert = alert_of("Down", "a");
  const uint64_t fingerprint = model::alert_fingerprint(alert.labels);
  EXPECT_EQ(fixture.router->acknowledge({.fingerprint = fingerprint}).error().code,
            Code::kNotFound);
  ASSERT_TRUE(fixture.router->put({alert}));
  ASSERT_TRUE(
      fixture.router->acknowledge({.fingerprint = fingerprint, .by = "me", .note = "looking"}));
  EXPECT_EQ(fixture.router->alerts({})->front().acknowledgement->note, "looking");
  fixture.router->stop();
  fixture.open();
  fixture.router->start();
  EXPECT_EQ(fixture.router->alerts({})->front().acknowledgement->by, "me");
  ASSERT_TRUE(fixture.router->unacknowledge(fingerprint, "me"));
  EXPECT_FALSE(fixture.router->alerts({})->front().acknowledgement);
  EXPECT_EQ(fixture.router->unacknowledge(fingerprint, "me").error().code, Code::kNotFound);
  EXPECT_EQ(fixture.router->history({.kind = "acknowledged"})->size(), 1U);
}

}  // namespace
}  // namespace binnacle::watch::alerts
