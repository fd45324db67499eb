#include "watch/health/health_api.h"

#include <nlohmann/json.hpp>

#include "watch/health/testing/health_fixture.h"

namespace binnacle::watch::health {
namespace {

using net::Method;
using nlohmann::json;

class HealthApiTest : public HealthFixture {
 protected:
  HealthApiTest() { EXPECT_TRUE(register_health_api(router_, *service, audit)); }

  net::Response call(Method method, std::string_view target, std::string_view body = {}) {
    net::Request request;
    request.method = method;
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
    request.body = body;
    const auto match = router_.match(method, request.path, request.path_params);
    EXPECT_NE(match.route, nullptr) << target;
    return std::get<net::Handler>(match.route->handler)(request);
  }
  json get(std::string_view target, int status = 200) {
    const auto response = call(Method::kGet, target);
    EXPECT_EQ(response.status, status) << response.body;
    return json::parse(response.body);
  }

  const std::string checks_ = "/api/binnacle/v1/health/checks";
  net::Router router_;
};

TEST_F(HealthApiTest, TellsTheWholeTreeAndIsAlways200) {
  nodes.set("n1", model::NodeState::kUp);
  nodes.set("n2", model::NodeState::kDown);
  files("checks: [{name: db, type: pushed, component: store, node: n1}]");
  EXPECT_TRUE(push("db", Health::kHealthy, "12 ms"));
  service->look();
  const json whole = get("/api/health");
  EXPECT_EQ(whole["overall_status"], "failed");
  EXPECT_EQ(whole["healthy"], false);
  EXPECT_EQ(whole["score"], 19);
  EXPECT_EQ(whole["deciding_check"], "node/n2");
  EXPECT_EQ(whole["summary"]["node_states"]["down"], 1);
  EXPECT_EQ(whole["nodes"][0]["components"][0]["checks"][0]["last"]["message"], "12 ms");
  EXPECT_EQ(whole["nodes"][1]["state"], "down");
  get("/api/health?fail=critical", 503);
  get("/api/health?fail=degraded", 503);
  EXPECT_FALSE(get("/api/health?brief=true").contains("nodes"));
  get("/api/health?fail=often", 400);
  nodes.set("n2", model::NodeState::kDraining);
  service->look();
  get("/api/health?fail=critical", 200);
  get("/api/health?fail=degraded", 503);
}

TEST_F(HealthApiTest, ChecksAreRegisteredShownAndRemoved) {
  EXPECT_EQ(call(Method::kPost, checks_, R"({"name": "app", "type": "pushed"})").status, 201);
  EXPECT_EQ(call(Method::kPost, checks_, "name: app2\ntype: pushed\n").status, 201);
  EXPECT_EQ(get(checks_)["checks"].size(), 2U);
  EXPECT_EQ(get(checks_ + "?status=healthy")["checks"].size(), 0U);
  EXPECT_EQ(get(checks_ + "/app")["origin"], "api");
  const auto bad = call(Method::kPost, checks_, "nmae: x\n");
  EXPECT_EQ(bad.status, 400);
  EXPECT_NE(bad.body.find("nmae"), std::string::npos) << bad.body;
  EXPECT_EQ(call(Method::kPost, checks_, "").status, 400);
  EXPECT_EQ(call(Method::kDelete, checks_ + "/app").status, 200);
  EXPECT_EQ(call(Method::kDelete, checks_ + "/app").status, 404);
  get(checks_ + "/app", 404);
  EXPECT_EQ(audit.recent(0, 10).value().size(), 3U);
}

TEST_F(HealthApiTest, ResultsArePushed) {
  const std::string result = checks_ + "/loss/result";
  EXPECT_EQ(call(Method::kPost, result,
                 R"({"status": "degraded", "message": "slow", "value": 2.5, "ttl": "30s",
                     "component": "trainer", "evidence": ["a", "b"]})")
                .status,
            200);
  const json check = get(checks_ + "/loss");
  EXPECT_EQ(check["status"], "degraded");
  EXPECT_EQ(check["component"], "trainer");
  EXPECT_EQ(check["last"]["value"], 2.5);
  EXPECT_EQ(check["last"]["evidence"][1], "b");
  for (const char* bad :
       {"", "[]", R"({"status": "well"})", R"({"status": "healthy", "ttl": "x"})",
        R"({"status": "healthy", "value": "x"})", R"({"status": "healthy", "evidence": [1]})",
        R"({"status": "healthy", "ttl": 1e300})"})
    EXPECT_EQ(call(Method::kPost, result, bad).status, 400) << bad;
}

TEST_F(HealthApiTest, MaintenanceAndHistory) {
  files("checks: [{name: db, type: pushed}]");
  EXPECT_TRUE(push("db", Health::kFailed, "refused"));
  const std::string maintenance = checks_ + "/db/maintenance";
  EXPECT_EQ(call(Method::kPost, maintenance, R"({"for": "2h", "reason": "disk"})").status, 200);
  EXPECT_EQ(get(checks_ + "/db")["maintenance"]["reason"], "disk");
  EXPECT_EQ(get("/api/health")["overall_status"], "unknown");
  EXPECT_EQ(call(Method::kPost, maintenance, R"({"until": "2001-01-01T00:00:00Z"})").status, 400);
  EXPECT_EQ(call(Method::kPost, maintenance, R"({})").status, 400);
  EXPECT_EQ(call(Method::kDelete, maintenance).status, 200);
  EXPECT_EQ(get("/api/health")["overall_status"], "failed");
  wait_changes(7);
  const json changes = get("/api/binnacle/v1/health/history?scope=cluster")["changes"];
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0]["to"], "failed");
  EXPECT_EQ(get(checks_ + "/db/history?limit=1")["changes"].size(), 1U);
  get("/api/binnacle/v1/health/history?scope=town", 400);
  get("/api/binnacle/v1/health/history?limit=x", 400);
  EXPECT_EQ(call(Method::kPost, checks_ + "/db/run").status, 412);
  EXPECT_EQ(call(Method::kPost, checks_ + "/none/run").status, 404);
}

}  // namespace
}  // namespace binnacle::watch::health
