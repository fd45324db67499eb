#include <nlohmann/json.hpp>

#include "watch/alerts/testing/alert_api_fixture.h"

namespace binnacle::watch::alerts {
namespace {

using net::Method;

class AlertmanagerApiTest : public AlertApiFixture {
 protected:
  static std::string silence(std::string_view more = "") {
    return R"({"matchers": [{"name": "job", "value": "a.*", "isRegex": true}],
               "startsAt": "2023-11-14T22:13:20Z", "endsAt": "2023-11-15T00:13:20Z",
               "createdBy": "eve", "comment": "disk")" +
           std::string(more) + "}";
  }
};

TEST_F(AlertmanagerApiTest, StatusIsOneReadyPeerAndTheConfiguration) {
  service.configured->original = "route:\n  receiver: team\n";
  const json status = get("/api/v2/status");
  EXPECT_EQ(status["cluster"]["status"], "ready");
  EXPECT_EQ(status["cluster"]["peers"],
            json::parse(R"([{"name": "node", "address": "127.0.0.1:8080"}])"));
  EXPECT_EQ(status["config"]["original"], "route:\n  receiver: team\n");
  EXPECT_EQ(status["uptime"], "2023-11-14T22:13:20.000Z");
  for (const char* name : {"version", "revision", "branch", "buildUser", "buildDate", "goVersion"})
    EXPECT_TRUE(status["versionInfo"][name].is_string()) << name;
}

TEST_F(AlertmanagerApiTest, AlertsArePostedAndRead) {
  const auto posted = call(Method::kPost, "/api/v2/alerts",
                           R"([{"labels": {"alertname": "Down", "job": "a", "empty": ""},
                                "annotations": {"summary": "it is down"},
                                "startsAt": "2023-11-14T22:00:00.5+00:00",
                                "endsAt": "2023-11-14T22:30:00Z", "generatorURL": "http://p/g"}])");
  EXPECT_EQ(posted.status, 200) << posted.body;
  EXPECT_EQ(posted.body, "");
  const json list = get("/api/v2/alerts");
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["labels"], json::parse(R"({"alertname": "Down", "job": "a"})"));
  EXPECT_EQ(list[0]["annotations"]["summary"], "it is down");
  EXPECT_EQ(list[0]["startsAt"], "2023-11-14T22:00:00.500Z");
  EXPECT_EQ(list[0]["endsAt"], "2023-11-14T22:30:00.000Z");
  EXPECT_EQ(list[0]["generatorURL"], "http://p/g");
  EXPECT_EQ(list[0]["receivers"], json::parse(R"([{"name": "team"}])"));
  EXPECT_EQ(list[0]["status"]["state"], "active");
  EXPECT_EQ(list[0]["fingerprint"].get<std::string>().size(), 16U);
  EXPECT_EQ(get("/api/v2/alerts?filter=job%3D%22b%22").size(), 0U);
  EXPECT_EQ(get("/api/v2/alerts?filter=job%3Da&filter=alertname%3D~%22D.*%22").size(), 1U);
}

TEST_F(AlertmanagerApiTest, TheZeroTimesOfGoClientsAreUnset) {
  call_json(Method::kPost, "/api/v2/alerts",
            R"([{"labels": {"alertname": "x"}, "startsAt": "0001-01-01T00:00:00.000Z",
                 "endsAt": "0001-01-01T00:00:00.000Z"}])");
  const model::Alert& alert = service.views.begin()->second.alert;
  EXPECT_EQ(alert.starts_at_ms, clock.wall_ms());
  EXPECT_EQ(alert.ends_at_ms, 0);
  EXPECT_EQ(alert.updated_at_ms, clock.wall_ms());
}

TEST_F(AlertmanagerApiTest, GoodAlertsAreStoredBesideBadOnes) {
  const json error = call_json(Method::kPost, "/api/v2/alerts",
                               R"([{"labels": {"alertname": "good"}}, {"labels": {}}, 7,
                                   {"labels": {"alertname": 5}},
                                   {"labels": {"alertname": "late"}, "startsAt": "2023-11-14T22:00:00Z",
                                    "endsAt": "2023-11-14T21:00:00Z"},
                                   {"labels": {"alertname": "when"}, "startsAt": "soon"}])",
                               400);
  const auto text = error.get<std::string>();
  for (const char* words : {"alert 1", "at least one label", "alert 2", "alert 3", "alertname",
                            "{alertname=\"late\"}", "start time must be before end time", "soon"})
    EXPECT_NE(text.find(words), std::string::npos) << words << " in " << text;
  EXPECT_EQ(service.views.size(), 1U);
  service.put_fails = fail(Code::kInvalidArgument, "{a=\"b\"}: too large");
  const json refused =
      call_json(Method::kPost, "/api/v2/alerts", R"([{"labels": {"a": "b"}}])", 400);
  EXPECT_EQ(refused, "{a=\"b\"}: too large");
  service.put_fails = fail(Code::kUnavailable, "the state file is away");
  call_json(Method::kPost, "/api/v2/alerts", R"([{"labels": {"a": "b"}}])", 503);
  for (const char* body : {"", "{}", "[", "null"})
    EXPECT_TRUE(call_json(Method::kPost, "/api/v2/alerts", body, 400).is_string()) << body;
}

TEST_F(AlertmanagerApiTest, ParametersReachTheService) {
  get("/api/v2/alerts?active=false&silenced=true&inhibited=false&unprocessed=false&receiver=t.*");
  EXPECT_FALSE(service.asked.active);
  EXPECT_TRUE(service.asked.silenced);
  EXPECT_FALSE(service.asked.inhibited);
  EXPECT_FALSE(service.asked.unprocessed);
  EXPECT_EQ(service.asked.receiver_regex, "t.*");
  get("/api/v2/alerts/groups?muted=false");
  EXPECT_FALSE(service.asked.muted);
  EXPECT_TRUE(get("/api/v2/alerts?active=maybe", 400).is_string());
  EXPECT_TRUE(get("/api/v2/alerts?filter=%7B%7B", 400).is_string());
  EXPECT_TRUE(get("/api/v2/alerts/groups?filter=a~b", 400).is_string());
}

TEST_F(AlertmanagerApiTest, ReceiversAndTheirMatchers) {
  service.configured->receivers["team"] = {.name = "team", .labels = {{"owner", "me"}}};
  service.configured->receivers["other"] = {.name = "other"};
  EXPECT_EQ(get("/api/v2/receivers"),
            json::parse(R"([{"name": "other"}, {"name": "team", "labels": {"owner": "me"}}])"));
  const std::string mine = "receiver_matchers=owner%3D%22me%22";
  const std::string others = "receiver_matchers=owner!%3D%22me%22";
  EXPECT_EQ(get("/api/v2/receivers?" + mine).size(), 1U);
  EXPECT_EQ(get("/api/v2/receivers?" + others)[0]["name"], "other");
  call_json(Method::kPost, "/api/v2/alerts", R"([{"labels": {"alertname": "x"}}])");
  EXPECT_EQ(get("/api/v2/alerts?" + mine).size(), 1U);
  EXPECT_EQ(get("/api/v2/alerts?" + others).size(), 0U);
  service.group_views.emplace_back().receiver = "other";
  EXPECT_EQ(get("/api/v2/alerts/groups?" + mine).size(), 0U);
  EXPECT_EQ(get("/api/v2/alerts/groups?" + others).size(), 1U);
  EXPECT_TRUE(get("/api/v2/alerts?receiver_matchers=a~", 400).is_string());
}

TEST_F(AlertmanagerApiTest, GroupsTellWhoMutesThem) {
  GroupView group;
  group.labels = model::Labels{{"job", "a"}};
  group.route_labels = model::Labels{{"team", "x"}};
  group.receiver = "team";
  AlertView view;
  view.alert.labels = model::Labels{{"alertname", "Down"}};
  view.state = AlertState::kActive;
  view.muted_by = {"night"};
  group.alerts.push_back(view);
  service.group_views.push_back(group);
  const json groups = get("/api/v2/alerts/groups");
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0]["labels"]["job"], "a");
  EXPECT_EQ(groups[0]["routeLabels"]["team"], "x");
  EXPECT_EQ(groups[0]["receiver"]["name"], "team");
  EXPECT_EQ(groups[0]["alerts"][0]["status"],
            json::parse(R"({"state": "suppressed", "silencedBy": [], "inhibitedBy": [],
                            "mutedBy": ["night"]})"));
}

TEST_F(AlertmanagerApiTest, SilencesAreMadeReadChangedAndExpired) {
  const json made = call_json(Method::kPost, "/api/v2/silences", silence());
  const std::string id = made["silenceID"];
  const json read = get("/api/v2/silence/" + id);
  EXPECT_EQ(read["matchers"], json::parse(R"([{"name": "job", "value": "a.*", "isRegex": true,
                                               "isEqual": true}])"));
  EXPECT_EQ(read["status"]["state"], "active");
  EXPECT_EQ(read["createdBy"], "eve");
  EXPECT_EQ(read["comment"], "disk");
  EXPECT_EQ(read["startsAt"], "2023-11-14T22:13:20.000Z");
  call_json(Method::kPost, "/api/v2/silences", silence(R"(, "id": ")" + id + "\""));
  EXPECT_EQ(service.stored.size(), 1U);
  EXPECT_TRUE(
      call_json(Method::kPost, "/api/v2/silences", silence(R"(, "id": "none")"), 404).is_string());
  const auto expired = call(Method::kDelete, "/api/v2/silence/" + id);
  EXPECT_EQ(expired.status, 200);
  EXPECT_EQ(expired.body, "");
  EXPECT_EQ(get("/api/v2/silence/" + id)["status"]["state"], "expired");
  EXPECT_TRUE(get("/api/v2/silence/none", 404).is_string());
  EXPECT_EQ(call(Method::kDelete, "/api/v2/silence/none").status, 404);
  EXPECT_EQ(audited(), (std::vector<std::string>{"alerts.silence_expired", "alerts.silenced",
                                                 "alerts.silenced"}));
}

TEST_F(AlertmanagerApiTest, BadSilencesAreRefusedWithTheReason) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not a silence"},
      {R"({"matchers": []})", "matchers"},
      {R"({"matchers": [{"name": "a", "value": "(", "isRegex": true}]})", "matchers[0]"},
      {R"({"matchers": [{"name": "a"}]})", "value"},
      {R"({"matchers": [{"name": "a", "value": "b"}], "startsAt": "2023-11-14T22:13:20Z",
           "endsAt": "2023-11-15T22:13:20Z", "comment": "x"})",
       "createdBy"},
      {R"({"matchers": [{"name": "a", "value": "b"}], "startsAt": "2023-11-14T22:13:20Z",
           "endsAt": "2023-11-14T22:13:20Z", "createdBy": "x", "comment": "x"})",
       "start time must be before end time"},
      {R"({"matchers": [{"name": "a", "value": "b"}], "startsAt": "2023-11-14T20:13:20Z",
           "endsAt": "2023-11-14T21:13:20Z", "createdBy": "x", "comment": "x"})",
       "end time can't be in the past"},
  };
  for (const auto& [body, words] : cases) {
    const json error = call_json(Method::kPost, "/api/v2/silences", body, 400);
    ASSERT_TRUE(error.is_string()) << body;
    EXPECT_NE(error.get<std::string>().find(words), std::string::npos) << error;
  }
}

TEST_F(AlertmanagerApiTest, SilencesAreSortedAndFiltered) {
  const int64_t now = clock.wall_ms();
  const auto add = [&](const char* id, int64_t from, int64_t to, const char* job) {
    Silence silence;
    silence.id = id;
    silence.starts_at_ms = now + from;
    silence.ends_at_ms = now + to;
    silence.matchers.push_back(model::Matcher::create(model::MatchOp::kEqual, "job", job).value());
    service.stored.push_back(silence);
  };
  add("long ago", -9000, -8000, "a");
  add("later", 9000, 10'000, "a");
  add("just over", -9000, -1000, "b");
  add("ends late", -1000, 8000, "a");
  add("ends soon", -1000, 2000, "b");
  add("soon", 1000, 10'000, "a");
  const auto ids = [&](std::string_view params) {
    std::vector<std::string> out;
    for (const json& silence : get("/api/v2/silences" + std::string(params)))
      out.push_back(silence["id"]);
    return out;
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(ids(""), (Ids{"ends soon", "ends late", "soon", "later", "just over", "long ago"}));
  EXPECT_EQ(ids("?expired=false&pending=false"), (Ids{"ends soon", "ends late"}));
  EXPECT_EQ(ids("?active=false&pending=false"), (Ids{"just over", "long ago"}));
  EXPECT_EQ(ids("?filter=job%3D%22b%22"), (Ids{"ends soon", "just over"}));
  EXPECT_EQ(ids("?filter=job%3D~%22b%22"), Ids());
}

// Grafana asks /alertmanager/api/v2/status of what it is told is a plain Alertmanager: an answer of
// 200 means Mimir or Cortex to it, and it refuses the data source.
TEST_F(AlertmanagerApiTest, ThereIsNothingUnderThePrefixOfOthers) {
  EXPECT_EQ(call(Method::kGet, "/alertmanager/api/v2/status").status, 404);
  EXPECT_EQ(call(Method::kGet, "/api/v1/receivers").status, 404);
  EXPECT_EQ(call(Method::kGet, "/api/v1/silences").status, 404);
}

TEST_F(AlertmanagerApiTest, EveryCallNamesItsRole) {
  const auto role = [&](Method method, std::string_view path) {
    std::vector<std::pair<std::string_view, std::string>> params;
    return router.match(method, path, params).route->role.value();
  };
  EXPECT_EQ(role(Method::kGet, "/api/v2/alerts"), Role::kViewer);
  EXPECT_EQ(role(Method::kPost, "/api/v2/alerts"), Role::kIngest);
  EXPECT_EQ(role(Method::kPost, "/api/v2/silences"), Role::kOperator);
  EXPECT_EQ(role(Method::kDelete, "/api/v2/silence/x"), Role::kOperator);
  EXPECT_EQ(role(Method::kPost, "/api/binnacle/v1/alerts/x/acknowledgement"), Role::kOperator);
  EXPECT_EQ(role(Method::kPost, "/api/binnacle/v1/alerts/receivers/x/test"), Role::kOperator);
}

}  // namespace
}  // namespace binnacle::watch::alerts
