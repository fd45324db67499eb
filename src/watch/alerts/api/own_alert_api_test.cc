#include <nlohmann/json.hpp>

#include "watch/alerts/testing/alert_api_fixture.h"

namespace binnacle::watch::alerts {
namespace {

using net::Method;

const std::string kAlerts = "/api/binnacle/v1/alerts";

class OwnAlertApiTest : public AlertApiFixture {
 protected:
  std::string raise() {
    EXPECT_EQ(
        call(Method::kPost, "/api/v2/alerts", R"([{"labels": {"alertname": "Down"}}])").status,
        200);
    return get(kAlerts)["alerts"][0]["fingerprint"];
  }
};

TEST_F(OwnAlertApiTest, AlertsAreAcknowledgedAndTakenBack) {
  const std::string alert = kAlerts + "/" + raise();
  EXPECT_TRUE(get(alert)["acknowledgement"].is_null());
  const json done = call_json(Method::kPost, alert + "/acknowledgement",
                              R"({"by": "ann", "note": "on it", "for": "2h"})");
  EXPECT_EQ(done["acknowledgement"]["by"], "ann");
  EXPECT_EQ(done["acknowledgement"]["note"], "on it");
  EXPECT_EQ(done["acknowledgement"]["expiresAt"], "2023-11-15T00:13:20.000Z");
  const json plain = call_json(Method::kPost, alert + "/acknowledgement");
  EXPECT_EQ(plain["acknowledgement"]["by"], "eve");
  EXPECT_FALSE(plain["acknowledgement"].contains("expiresAt"));
  EXPECT_TRUE(call_json(Method::kDelete, alert + "/acknowledgement")["acknowledgement"].is_null());
  EXPECT_EQ(audited(), (std::vector<std::string>{"alerts.unacknowledged", "alerts.acknowledged",
                                                 "alerts.acknowledged"}));
}

TEST_F(OwnAlertApiTest, BadAcknowledgementsAreRefused) {
  const std::string at = kAlerts + "/" + raise() + "/acknowledgement";
  for (const char* body :
       {"[]", "{", R"({"for": "soon"})", R"({"for": "1h", "until": "2033-01-01T00:00:00Z"})",
        R"({"until": "2003-01-01T00:00:00Z"})", R"({"note": 5})"})
    EXPECT_TRUE(call_json(Method::kPost, at, body, 400)["error"].is_string()) << body;
  call_json(Method::kPost, kAlerts + "/0000000000000001/acknowledgement", "", 404);
  call_json(Method::kPost, kAlerts + "/xyz/acknowledgement", "", 400);
  get(kAlerts + "/0000000000000001", 404);
}

TEST_F(OwnAlertApiTest, HistoryIsAskedByItsParameters) {
  AlertHistoryEntry entry;
  entry.id = 7;
  entry.time_ms = clock.wall_ms();
  entry.kind = "notified";
  entry.labels = model::Labels{{"alertname", "Down"}};
  entry.receiver = "team";
  entry.text = "webhook[0]: first";
  service.entries.push_back(entry);
  const json entries = get(kAlerts +
                           "/history?filter=a%3Db&kind=notified&receiver=team&from=1700000000"
                           "&to=2023-11-15T00:13:20Z&before=9&limit=5000")["entries"];
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0]["kind"], "notified");
  EXPECT_EQ(entries[0]["receiver"], "team");
  EXPECT_EQ(entries[0]["time"], "2023-11-14T22:13:20.000Z");
  EXPECT_FALSE(entries[0].contains("fingerprint"));
  const AlertHistoryQuery& asked = service.asked_history;
  EXPECT_EQ(asked.matchers.size(), 1U);
  EXPECT_EQ(asked.kind, "notified");
  EXPECT_EQ(asked.from_ms, 1'700'000'000'000);
  EXPECT_EQ(asked.to_ms, 1'700'007'200'000);
  EXPECT_EQ(asked.before_id, 9);
  EXPECT_EQ(asked.limit, 1000U);
  get(kAlerts + "/history?from=then", 400);
  get(kAlerts + "/history?limit=x", 400);
  get(kAlerts + "/history?filter=a~b", 400);
}

TEST_F(OwnAlertApiTest, ReceiversAreShownAndTested) {
  Receiver& receiver = service.configured->receivers["team"];
  receiver.name = "team";
  receiver.integrations.push_back({.kind = "webhook"});
  const json receivers = get(kAlerts + "/receivers")["receivers"];
  EXPECT_EQ(receivers[0]["name"], "team");
  EXPECT_EQ(receivers[0]["integrations"][0]["kind"], "webhook");
  const json results = call_json(Method::kPost, kAlerts + "/receivers/team/test")["results"];
  EXPECT_EQ(results[0]["sent"], true);
  EXPECT_EQ(results[1]["error"], "401: bad token");
  call_json(Method::kPost, kAlerts + "/receivers/none/test", "", 404);
  EXPECT_EQ(audited(), std::vector<std::string>{"alerts.receiver_tested"});
}

TEST_F(OwnAlertApiTest, WindowsOfMaintenanceTellWhetherTheyHold) {
  MaintenanceWindow window;
  window.name = "nights";
  window.comment = "backups";
  window.intervals.push_back({.times = {{22 * 60, 24 * 60}}});  // it is 22:13
  window.matchers.push_back(model::Matcher::create(model::MatchOp::kEqual, "job", "b").value());
  service.configured->maintenance.push_back(window);
  window.name = "mornings";
  window.intervals = {{.times = {{6 * 60, 7 * 60}}}};
  service.configured->maintenance.push_back(window);
  const json windows = get(kAlerts + "/maintenance")["windows"];
  EXPECT_EQ(windows[0]["active"], true);
  EXPECT_EQ(windows[0]["matchers"], "{job=\"b\"}");
  EXPECT_EQ(windows[1]["active"], false);
}

TEST_F(OwnAlertApiTest, EscalationsTellHowFarTheyAre) {
  service.configured->escalations["oncall"] = {{.after_ms = 900'000, .receiver = "boss"}};
  GroupView& group = service.group_views.emplace_back();
  group.key = "{}:{}";
  group.alerts.emplace_back();
  service.group_views.push_back(group);
  service.group_views[1].escalation = "oncall";
  service.group_views[1].escalated = 1;
  const json told = get(kAlerts + "/escalations");
  EXPECT_EQ(told["policies"], json::parse(R"([{"name": "oncall", "steps": [{"after": "15m",
                                               "receiver": "boss"}]}])"));
  ASSERT_EQ(told["groups"].size(), 1U);
  EXPECT_EQ(told["groups"][0]["acknowledged"], false);
  EXPECT_EQ(told["groups"][0]["taken"], 1);
  EXPECT_TRUE(told["groups"][0]["next"].is_null());
}

TEST_F(OwnAlertApiTest, GroupsTellWhenTheySpeakNext) {
  GroupView group;
  group.key = "{}:{job=\"a\"}";
  group.receiver = "team";
  group.next_flush_ms = clock.wall_ms() + 30'000;
  service.group_views.push_back(group);
  const json groups = get(kAlerts + "/groups")["groups"];
  EXPECT_EQ(groups[0]["key"], "{}:{job=\"a\"}");
  EXPECT_EQ(groups[0]["nextFlush"], "2023-11-14T22:13:50.000Z");
}

}  // namespace
}  // namespace binnacle::watch::alerts
