#include "show/probes.h"

#include <gtest/gtest.h>

#include "show/test_route_caller.h"

namespace binnacle::show {
namespace {

using net::Method;

class ProbesTest : public testing::Test {
 protected:
  ProbesTest() {
    EXPECT_TRUE(register_probes(router_, {registry_,
                                          {{"loops", [this] { return loops_; }}},
                                          {{"state_store", [this] { return store_; }}},
                                          "0.1.0",
                                          "abc"}));
  }

  net::Response get(std::string_view path) { return call_route(router_, Method::kGet, path); }

  Registry registry_;
  net::Router router_;
  Status loops_;
  Status store_;
};

TEST_F(ProbesTest, AllIsWell) {
  for (const char* path : {"/live", "/ready", "/-/healthy", "/-/ready"})
    EXPECT_EQ(get(path).status, 200) << path;
  EXPECT_EQ(get("/health").body,
            R"({"status":"healthy","live":true,"ready":true,"version":"0.1.0",)"
            R"("checks":[{"name":"loops","ok":true},{"name":"state_store","ok":true}]})");
  EXPECT_EQ(get("/version").body, R"({"version":"0.1.0","revision":"abc"})");
}

TEST_F(ProbesTest, AnUnwritableStoreIsNotReadyButLive) {
  store_ = fail(Code::kResourceExhausted, "disk \"full\"");
  EXPECT_EQ(get("/live").status, 200);
  EXPECT_EQ(get("/ready").status, 503);
  EXPECT_EQ(get("/ready").body, "state_store: disk \"full\"\n");
  const auto health = get("/health");
  EXPECT_EQ(health.status, 503);
  EXPECT_NE(health.body.find(R"("live":true,"ready":false)"), std::string::npos) << health.body;
  EXPECT_NE(health.body.find(R"({"name":"state_store","ok":false,"detail":"disk \"full\""})"),
            std::string::npos);
}

TEST_F(ProbesTest, AStuckLoopIsNeitherLiveNorReady) {
  loops_ = fail(Code::kUnavailable, "stuck");
  for (const char* path : {"/live", "/ready", "/-/healthy", "/health"})
    EXPECT_EQ(get(path).status, 503) << path;
}

TEST_F(ProbesTest, MetricsNegotiateTheirFormat) {
  registry_.counter("binnacle_things_total", "Things.").add(2);
  const auto plain = get("/metrics");
  EXPECT_EQ(plain.headers.get("content-type"), content_type(TextFormat::kPrometheus004));
  EXPECT_NE(plain.body.find("\nbinnacle_things_total 2\n"), std::string::npos) << plain.body;
  const auto open = call_route(router_, Method::kGet, "/metrics",
                               {{"Accept", "application/openmetrics-text; version=1.0.0"}});
  EXPECT_EQ(open.headers.get("content-type"), content_type(TextFormat::kOpenMetrics1));
  EXPECT_TRUE(open.body.ends_with("# EOF\n"));
}

}  // namespace
}  // namespace binnacle::show
