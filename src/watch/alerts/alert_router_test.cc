// The whole path with real threads: an alert goes in, is grouped, told, recorded, silenced.
#include "watch/alerts/alert_router.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace binnacle::watch::alerts
