// When a group is told, as Alertmanager does it.
#include <gtest/gtest.h>

#include "base/random.h"
#include "watch/alerts/dispatcher.h"
#include "watch/alerts/testing/router_fixture.h"

namespace binnacle::watch::alerts {
namespace {

constexpr char kYaml[] = R"(
route: {receiver: team, group_by: [alertname], group_wait: 1s, group_interval: 10s}
receivers:
  - name: team
    webhook_configs: [{url: http://one/}]
)";
constexpr int64_t kBegin = 1'700'000'000'000;

struct Pace {
  Pace() { dispatcher.configure(alert_config(kYaml), kBegin); }

  void put(const char* instance, int64_t starts_ms, int64_t ends_ms, int64_t at_ms) {
    ASSERT_TRUE(dispatcher.put({{.labels = model::Labels{{"alertname", "Down"}, {"i", instance}},
                                 .starts_at_ms = kBegin + starts_ms,
                                 .ends_at_ms = kBegin + ends_ms}},
                               kBegin + at_ms));
  }
  // How many were told from the last call until then, a look every 100 ms.
  size_t told_until(int64_t ms) {
    size_t told = 0;
    for (; looked_ms <= ms; looked_ms += 100) {
      for (const DeliveryAttempt& attempt : dispatcher.turn(kBegin + looked_ms)) {
        ++told;
        dispatcher.attempted(attempt.id, {}, kBegin + looked_ms);
      }
    }
    return told;
  }

  SeededRandom random{1};
  Registry registry;
  AlertInstruments instruments{registry};
  Dispatcher dispatcher{AlertLimits{}, "http://binnacle", random, instruments};
  int64_t looked_ms = 0;
};

constexpr int64_t kFar = 3'600'000;

TEST(GroupPace, AnAlertThatFiresAgainFindsItsGroup) {
  Pace pace;
  pace.put("a", 0, kFar, 0);
  EXPECT_EQ(pace.told_until(1'000), 1U);
  pace.put("a", 0, 5'000, 5'000);
  EXPECT_EQ(pace.told_until(10'900), 0U);
  EXPECT_EQ(pace.told_until(11'100), 1U);  // resolved; nobody is in the group now
  pace.put("a", 12'000, kFar, 12'000);
  EXPECT_EQ(pace.told_until(20'900), 0U);
  EXPECT_EQ(pace.told_until(21'100), 1U);
}

TEST(GroupPace, AnEmptyGroupIsForgotten) {
  Pace pace;
  pace.put("a", 0, 5'000, 0);
  EXPECT_EQ(pace.told_until(60'000), 2U);
  pace.put("a", 60'000, kFar, 60'000);
  EXPECT_EQ(pace.told_until(60'900), 0U);
  EXPECT_EQ(pace.told_until(61'100), 1U);
}

TEST(GroupPace, AnOldAlertDoesNotWait) {
  Pace pace;
  pace.put("a", 0, kFar, 0);
  EXPECT_EQ(pace.told_until(200), 0U);
  pace.put("b", -5'000, kFar, 300);
  EXPECT_EQ(pace.told_until(300), 1U);
  pace.put("c", -5'000, kFar, 400);  // the group has been told: its interval counts
  EXPECT_EQ(pace.told_until(10'200), 0U);
  EXPECT_EQ(pace.told_until(10'400), 1U);
}

}  // namespace
}  // namespace binnacle::watch::alerts
