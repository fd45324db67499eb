#include "watch/alerts/receivers/notification_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "watch/alerts/testing/receiver_fixture.h"

namespace binnacle::watch::alerts {
namespace {

using nlohmann::json;

// What Alertmanager 0.25.0 posted for these alerts, the first of them resolved, with max_alerts 2.
constexpr std::string_view kAlertmanagerSays =
    R"({"receiver":"team\\.a-hook","status":"firing","alerts":[{"status":"resolved","labels":)"
    R"({"alertname":"Disk\u003cFull\u003e","cluster":"eu","instance":"a:1","severity":"page"},)"
    R"("annotations":{"common":"yes","summary":"über \u0026 \"quoted\" \u003cb\u003e"},)"
    R"("startsAt":"2026-01-02T03:04:05.67Z","endsAt":"2026-01-02T04:00:00.12Z","generatorURL":)"
    R"("http://prom/graph?g0.expr=a%3E1\u0026g0.tab=1","fingerprint":"cdee6ab335bd35c1"},)"
    R"({"status":"firing","labels":{"alertname":"Disk\u003cFull\u003e","cluster":"eu",)"
    R"("instance":"b:1","severity":"page"},"annotations":{"common":"yes","summary":"two"},)"
    R"("startsAt":"2026-01-02T03:04:06Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"",)"
    R"("fingerprint":"2f821d9f21f22242"}],"groupLabels":{"alertname":"Disk\u003cFull\u003e",)"
    R"("cluster":"eu"},"commonLabels":{"alertname":"Disk\u003cFull\u003e","cluster":"eu",)"
    R"("severity":"page"},"commonAnnotations":{"common":"yes"},"externalURL":)"
    R"("http://am.example/am","version":"4","groupKey":"{}/{severity=\"page\"}:{alertname=)"
    R"(\"Disk\u003cFull\u003e\", cluster=\"eu\"}","truncatedAlerts":1})";

Notification same_alerts() {
  Notification out = test_notification();
  out.alerts[0].ends_at_ms = 1'767'326'400'120;
  out.alerts[1].ends_at_ms = 4'070'908'800'000;
  out.now_ms = 1'767'400'000'000;
  out.alerts.push_back(out.alerts[1]);
  return out;
}

TEST(NotificationJson, IsWhatAlertmanagerPosts) {
  EXPECT_EQ(json::parse(notification_json(same_alerts(), 2)), json::parse(kAlertmanagerSays));
}

TEST(NotificationJson, WithoutALimitAllAlertsAreThere) {
  const json all = json::parse(notification_json(same_alerts(), 0));
  EXPECT_EQ(all["alerts"].size(), 3);
  EXPECT_EQ(all["truncatedAlerts"], 0);
  EXPECT_FALSE(all.contains("context"));
}

TEST(NotificationJson, WhatIsCutOffCountsForNothing) {
  Notification told = same_alerts();
  const json first = json::parse(notification_json(told, 1));
  EXPECT_EQ(first["status"], "resolved");
  EXPECT_EQ(first["commonLabels"]["instance"], "a:1");
  EXPECT_EQ(first["truncatedAlerts"], 2);
}

TEST(NotificationJson, SaysMoreWhereItMay) {
  Notification told = same_alerts();
  told.reason = "repeat";
  told.route_labels = {{"team", "a"}};
  told.context = {{"value", "\xff 7"}};
  const json out = json::parse(notification_json(told, 0, true));
  EXPECT_EQ(out["reason"], "repeat");
  EXPECT_EQ(out["routeLabels"]["team"], "a");
  EXPECT_EQ(out["context"]["value"], "\xEF\xBF\xBD 7");
}

}  // namespace
}  // namespace binnacle::watch::alerts
