#include "collect/receive/push_gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/fault_file_system.h"
#include "collect/receive/otlp_fixture.h"
#include "collect/receive/test_store.h"
#include "store/metrics/linear_store.h"

namespace binnacle::collect::receive {
namespace {

using net::Method;
using net::Response;
using store::metrics::LinearStore;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PushGatewayTest : public ::testing::Test {
 protected:
  PushGatewayTest() { restart(); }

  // A new process on the same disk.
  void restart() {
    gateway_.emplace(options_, "/data/push", files_, store_, clock_, registry_);
    ASSERT_TRUE(gateway_->load());
    router_.emplace();
    ASSERT_TRUE(gateway_->register_routes(*router_));
  }

  Response call(Method method, std::string_view target, std::string_view body = "",
                std::string_view type = "") {
    net::Request request;
    request.method = method;
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
    const std::vector<net::HeaderView> headers = {{"Content-Type", type}};
    if (!type.empty()) request.headers = headers;
    request.body = body;
    const auto match = router_->match(method, request.path, request.path_params);
    if (match.route == nullptr) return Response::text(404, "");
    return std::get<net::Handler>(match.route->handler)(request);
  }
  int put(std::string_view target, std::string_view body) {
    return call(Method::kPut, target, body).status;
  }
  int post(std::string_view target, std::string_view body) {
    return call(Method::kPost, target, body).status;
  }

  // "x{job="a"} 1@0 stale@5" of the series whose names match, times in milliseconds since the
  // start.
  Lines stored(const std::string& names = "[^p].*") {
    return stored_lines(store_, names, {start_ms_ - 1000, clock_.wall_ms() + 1000}, start_ms_);
  }

  SimulatedClock clock_;
  const int64_t start_ms_ = clock_.wall_ms();
  FaultFileSystem files_;
  Registry registry_;
  LinearStore store_{clock_};
  PushGatewayOptions options_{
      .max_groups = 3, .max_series = 20, .max_bytes = 4000, .labels = {.max_count = 6}};
  std::optional<PushGateway> gateway_;
  std::optional<net::Router> router_;
};

TEST_F(PushGatewayTest, APushIsStoredAtOnceAndWithEachInterval) {
  EXPECT_EQ(put("/metrics/job/a/instance/i", "x{k=\"v\",job=\"other\"} 1\n"), 200);
  clock_.advance_ms(10'000);
  EXPECT_TRUE(gateway_->append_all());
  EXPECT_EQ(stored(), (Lines{R"(x{instance="i", job="a", k="v"} 1@0 1@10000)"}));
  EXPECT_EQ(stored("push_.*"),
            (Lines{R"(push_failure_time_seconds{instance="i", job="a"} 0@0 0@10000)",
                   R"(push_time_seconds{instance="i", job="a"} 1.7e+09@0 1.7e+09@10000)"}));
}

TEST_F(PushGatewayTest, InstanceIsTheGroupsOrNone) {
  put("/metrics/job/a", "x{instance=\"b\"} 1\n");
  EXPECT_EQ(stored(), (Lines{R"(x{job="a"} 1@0)"}));
}

TEST_F(PushGatewayTest, PutReplacesTheGroupPostTheMetrics) {
  put("/metrics/job/a", "x 1\ny 2\n");
  clock_.advance_ms(10);
  post("/metrics/job/a", "x{n=\"2\"} 3\n");
  clock_.advance_ms(10);
  put("/metrics/job/a", "y 4\n");
  EXPECT_EQ(stored(), (Lines{R"(x{job="a"} 1@0 stale@10)", R"(x{job="a", n="2"} 3@10 stale@20)",
                             R"(y{job="a"} 2@0 2@10 4@20)"}));
}

TEST_F(PushGatewayTest, DeleteEndsEverySeries) {
  put("/metrics/job/a", "x 1\n");
  put("/metrics/job/a/zone/z", "x 2\n");
  clock_.advance_ms(10);
  EXPECT_EQ(call(Method::kDelete, "/metrics/job/a").status, 202);
  EXPECT_EQ(call(Method::kDelete, "/metrics/job/a").status, 202);
  clock_.advance_ms(10);
  EXPECT_TRUE(gateway_->append_all());
  EXPECT_EQ(stored(), (Lines{R"(x{job="a"} 1@0 stale@10)", R"(x{job="a", zone="z"} 2@0 2@20)"}));
  restart();
  clock_.advance_ms(10);
  EXPECT_TRUE(gateway_->append_all());
  EXPECT_EQ(stored("push_time_seconds")[0], R"(push_time_seconds{job="a"} 1.7e+09@0 stale@10)");
}

TEST_F(PushGatewayTest, AChangeWithinTheSameMillisecondIsSeen) {
  put("/metrics/job/a", "x 1\n");
  put("/metrics/job/a", "y 1\n");
  EXPECT_EQ(stored(), (Lines{R"(x{job="a"} 1@0 stale@1)", R"(y{job="a"} 1@1)"}));
}

TEST_F(PushGatewayTest, PathsWithCodedValues) {
  EXPECT_EQ(put("/metrics/job@base64/YS9i/path@base64/L3Zhcg/empty@base64/=/n/a%2Fb", "x 1\n"),
            200);
  EXPECT_EQ(stored(), (Lines{R"(x{job="a/b", n="a/b", path="/var"} 1@0)"}));
  for (const char* bad :
       {"/metrics/job/", "/metrics/job/a/b", "/metrics/job/a/", "/metrics/job/a/1x/b",
        "/metrics/job/a/__x__/b", "/metrics/job/a/job/b", "/metrics/job/a/x@base64/!",
        "/metrics/job/%FF", "/metrics/job/a/x/1/x/2"})
    EXPECT_EQ(put(bad, "x 1\n"), 400) << bad;
}

TEST_F(PushGatewayTest, WhatCannotBeTakenLeavesTheGroupAsItWas) {
  put("/metrics/job/a", "# TYPE x counter\nx 1\n");
  clock_.advance_ms(1000);
  const std::pair<const char*, const char*> bad[] = {
      {"x 1 1700000000000\n", "time stamp"},
      {"x 1\nx 2\n", "twice"},
      {"x{\n", "line 1"},
      {"# TYPE y gauge\n# TYPE y counter\ny 1\n", "TYPE"},
      {"x{a=\"1\",b=\"1\",c=\"1\",d=\"1\",e=\"1\"} 1\n", "collect.receive.max_labels"},
  };
  for (const auto& [body, word] : bad) {
    const Response response = call(Method::kPut, "/metrics/job/a", body);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_THAT(response.body, HasSubstr(word));
  }
  EXPECT_EQ(call(Method::kPut, "/metrics/job/a?ttl=soon", "x 1\n").status, 400);
  EXPECT_EQ(call(Method::kPut, "/metrics/job/a", "<html>", "text/html").status, 400);
  EXPECT_THAT(stored("push_failure_time_seconds")[0], HasSubstr("1.700000001e+09"));
  clock_.advance_ms(1000);
  EXPECT_TRUE(gateway_->append_all());
  EXPECT_THAT(stored()[0], HasSubstr(" 1@2000"));
}

TEST_F(PushGatewayTest, GroupsAgreeOnTypes) {
  EXPECT_EQ(put("/metrics/job/a", "# TYPE x counter\nx 1\n"), 200);
  EXPECT_EQ(put("/metrics/job/b", "# TYPE x gauge\nx 1\n"), 400);
  EXPECT_EQ(put("/metrics/job/a", "# TYPE x gauge\nx 1\n"), 200);  // alone, it may change its mind
  EXPECT_EQ(put("/metrics/job/b", "# TYPE x gauge\nx 1\n"), 200);
  EXPECT_EQ(put("/metrics/job/a", "# TYPE x counter\nx 1\n"), 400);
  call(Method::kDelete, "/metrics/job/b");
  EXPECT_EQ(put("/metrics/job/a", "# TYPE x counter\nx 1\n"), 200);
}

TEST_F(PushGatewayTest, AGroupExpiresWhenItsTimeToLiveIsOver) {
  put("/metrics/job/mac/instance/m?ttl=30s", "x 1\n");
  clock_.advance_ms(29'999);
  EXPECT_TRUE(gateway_->append_all());
  clock_.advance_ms(1);
  EXPECT_TRUE(gateway_->append_all());
  clock_.advance_ms(10'000);
  EXPECT_TRUE(gateway_->append_all());
  EXPECT_EQ(stored(),
            (Lines{R"(binnacle_push_expired{instance="m", job="mac"} 0@0 0@29999 1@30000 1@40000)",
                   R"(x{instance="m", job="mac"} 1@0 1@29999 stale@30000)"}));
  EXPECT_EQ(registry_
                .gauge("binnacle_push_expired_groups",
                       "Groups of the push API whose time to live is over.")
                .value(),
            1);
  clock_.advance_ms(1000);
  put("/metrics/job/mac/instance/m?ttl=30s", "x 2\n");
  EXPECT_EQ(stored()[1], R"(x{instance="m", job="mac"} 1@0 1@29999 stale@30000 2@41000)");
  EXPECT_THAT(stored()[0], HasSubstr(" 0@41000"));
  clock_.advance_ms(1000);
  put("/metrics/job/mac/instance/m", "x 2\n");
  EXPECT_THAT(stored()[0], HasSubstr(" stale@42000"));
}

TEST_F(PushGatewayTest, ExpiryIsKnownAfterAnOutage) {
  put("/metrics/job/mac?ttl=30s", "x 1\n");
  clock_.advance_ms(60'000);
  restart();
  EXPECT_TRUE(gateway_->append_all());
  EXPECT_EQ(stored(), (Lines{R"(binnacle_push_expired{job="mac"} 0@0 1@60000)",
                             R"(x{job="mac"} 1@0 stale@60000)"}));
}

TEST_F(PushGatewayTest, WhatWasAnsweredSurvivesAPowerCut) {
  put("/metrics/job/a/zone/q",
      "# HELP h All\\nof \"it\".\n# TYPE h histogram\n"
      "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"
      "# TYPE c counter\nc{p=\"a\\\"b\\\\c\\nd\"} 5\nu NaN\n"
      "{\"utf.8\",\"l.b\"=\"1\"} 7\n");
  const Response before = call(Method::kGet, "/api/v1/metrics");
  files_.crash(Crash::kPowerCut);
  restart();
  EXPECT_EQ(call(Method::kGet, "/api/v1/metrics").body, before.body);
  clock_.advance_ms(10);
  EXPECT_TRUE(gateway_->append_all());
  EXPECT_EQ(stored(),
            (Lines{R"(c{job="a", p="a\"b\\c\nd", zone="q"} 5@0 5@10)",
                   R"(h_bucket{job="a", le="+Inf", zone="q"} 2@0 2@10)",
                   R"(h_bucket{job="a", le="1.0", zone="q"} 1@0 1@10)",
                   R"(h_count{job="a", zone="q"} 2@0 2@10)", R"(h_sum{job="a", zone="q"} 3@0 3@10)",
                   R"(u{job="a", zone="q"} NaN@0 NaN@10)",
                   R"({"utf.8", job="a", "l.b"="1", zone="q"} 7@0 7@10)"}));
}

TEST_F(PushGatewayTest, APowerCutAtEveryStepLeavesTheOldGroupOrTheNew) {
  for (uint64_t step = 0;; ++step) {
    ASSERT_EQ(put("/metrics/job/a", "x 1\n"), 200);
    files_.power_off_after(step);
    const int status = put("/metrics/job/a", "x 2\n");
    files_.crash(Crash::kPowerCut);
    restart();
    const std::string held = call(Method::kGet, "/api/v1/metrics").body;
    const bool is_new = held.find(R"("value":"2")") != std::string::npos;
    const bool is_old = held.find(R"("value":"1")") != std::string::npos;
    EXPECT_TRUE(is_new || (is_old && status != 200)) << step << " " << held;
    clock_.advance_ms(10);
    if (status == 200) break;
    ASSERT_LT(step, 50u);
  }
}

TEST_F(PushGatewayTest, ABrokenFileIsLeftAndTheOthersServed) {
  put("/metrics/job/a", "x 1\n");
  put("/metrics/job/b", "x 2\n");
  const auto entries = files_.list("/data/push");
  ASSERT_EQ(entries->size(), 2u);
  files_.corrupt("/data/push/" + (*entries)[0].name, 60);
  restart();
  const std::string held = call(Method::kGet, "/api/v1/metrics").body;
  EXPECT_NE(held.find(R"("value":"1")") == std::string::npos,
            held.find(R"("value":"2")") == std::string::npos);
  EXPECT_EQ(files_.list("/data/push")->size(), 2u);
}

TEST_F(PushGatewayTest, BoundsAreHeldAndNamed) {
  EXPECT_EQ(put("/metrics/job/a?ttl=1m", "x 1\n"), 200);
  EXPECT_EQ(put("/metrics/job/b", "x 1\n"), 200);
  EXPECT_EQ(put("/metrics/job/c", "x 1\n"), 200);
  Response response = call(Method::kPut, "/metrics/job/d", "x 1\n");
  EXPECT_EQ(response.status, 429);
  EXPECT_THAT(response.body, HasSubstr("collect.push.max_groups"));
  clock_.advance_ms(60'000);
  EXPECT_EQ(put("/metrics/job/d", "x 1\n"), 200);  // in the place of a, which has expired
  std::string many;
  for (int i = 0; i < 19; ++i) many += "x{i=\"" + std::to_string(i) + "\"} 1\n";
  response = call(Method::kPut, "/metrics/job/d", many);
  EXPECT_EQ(response.status, 429);
  EXPECT_THAT(response.body, HasSubstr("collect.push.max_series"));
  response = call(Method::kPut, "/metrics/job/d", "x{l=\"" + std::string(4000, 'x') + "\"} 1\n");
  EXPECT_EQ(response.status, 429);
  EXPECT_THAT(response.body, HasSubstr("collect.push.max_bytes"));
}

TEST_F(PushGatewayTest, AFullDiskIsToldAndNothingChanges) {
  put("/metrics/job/a", "x 1\n");
  files_.inject({.op = FileOp::kWrite, .error_number = 28});
  EXPECT_NE(put("/metrics/job/a", "x 2\n"), 200);
  EXPECT_THAT(call(Method::kGet, "/api/v1/metrics").body, HasSubstr(R"("value":"1")"));
}

TEST_F(PushGatewayTest, OpenMetricsIsTakenToo) {
  const Response response =
      call(Method::kPost, "/metrics/job/a", "# TYPE x counter\nx_total 3\n# EOF\n",
           "application/openmetrics-text; version=1.0.0");
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(stored(), (Lines{R"(x_total{job="a"} 3@0)"}));
}

// As client_golang's push package sends by default.
TEST_F(PushGatewayTest, ProtobufIsTakenToo) {
  const auto family = [](std::string_view name, int64_t type, const OtlpMessage& metric) {
    return OtlpMessage().text(1, name).text(2, "Help.").varint(3, type).message(4, metric);
  };
  const auto labelled = [] {
    return OtlpMessage().message(1, OtlpMessage().text(1, "k").text(2, "v\"\n"));
  };
  OtlpMessage histogram;
  histogram.varint(1, 3).number(2, 4.5).message(3, OtlpMessage().varint(1, 2).number(2, 0.5));
  OtlpMessage summary;
  summary.varint(1, 7).number(2, 1).message(3, OtlpMessage().number(1, 0.9).number(2, 8));
  std::string body;
  for (const OtlpMessage& one :
       {family("c_total", 0, labelled().message(3, OtlpMessage().number(1, 5))),
        family("g", 1, OtlpMessage().message(2, OtlpMessage().number(1, -1))),
        family("h", 4, OtlpMessage().message(7, histogram)),
        family("s", 2, OtlpMessage().message(4, summary))}) {
    body.push_back(static_cast<char>(one.bytes().size()));
    body += one.bytes();
  }
  const auto push = [&](std::string_view bytes) {
    return call(Method::kPut, "/metrics/job/a", bytes,
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
                "encoding=delimited");
  };
  EXPECT_EQ(push(body).status, 200);
  EXPECT_EQ(stored(), (Lines{R"(c_total{job="a", k="v\"\n"} 5@0)", R"(g{job="a"} -1@0)",
                             R"(h_bucket{job="a", le="+Inf"} 3@0)",
                             R"(h_bucket{job="a", le="0.5"} 2@0)", R"(h_count{job="a"} 3@0)",
                             R"(h_sum{job="a"} 4.5@0)", R"(s{job="a", quantile="0.9"} 8@0)",
                             R"(s_count{job="a"} 7@0)", R"(s_sum{job="a"} 1@0)"}));
  for (size_t cut = 1; cut < body.size(); ++cut) {
    const int status = push(body.substr(0, cut)).status;
    EXPECT_TRUE(status == 400 || status == 200) << cut;  // 200 where a family ends
  }
  const OtlpMessage timed = family(
      "g", 1, OtlpMessage().message(2, OtlpMessage().number(1, 1)).varint(6, 1'700'000'000'000));
  EXPECT_EQ(push(std::string(1, static_cast<char>(timed.bytes().size())) + timed.bytes()).status,
            400);
}

TEST_F(PushGatewayTest, ListsWhatItHolds) {
  EXPECT_EQ(call(Method::kGet, "/api/v1/metrics").body, R"({"status":"success","data":[]})");
  put("/metrics/job/a", "# TYPE x gauge\n# HELP x Help.\nx{k=\"v\"} 1\n");
  EXPECT_EQ(
      call(Method::kGet, "/api/v1/metrics").body,
      R"({"status":"success","data":[{"labels":{"job":"a"},"last_push_successful":true,"x":{"time_stamp":"2023-11-14T22:13:20.000Z","type":"GAUGE","help":"Help.","metrics":[{"labels":{"job":"a","k":"v"},"value":"1"}]},"push_failure_time_seconds":{"time_stamp":"2023-11-14T22:13:20.000Z","type":"GAUGE","help":"When a push was refused last.","metrics":[{"labels":{"job":"a"},"value":"0"}]},"push_time_seconds":{"time_stamp":"2023-11-14T22:13:20.000Z","type":"GAUGE","help":"When a push was taken last.","metrics":[{"labels":{"job":"a"},"value":"1.7e+09"}]}}]})");
}

TEST_F(PushGatewayTest, ItsRoutesNameTheirRoles) {
  for (const auto& route : router_->routes()) {
    const bool reads = route->method == Method::kGet;
    EXPECT_EQ(route->role, reads ? Role::kViewer : Role::kIngest);
    EXPECT_EQ(route->group, reads ? net::RouteGroup::kApi : net::RouteGroup::kIngest);
  }
}

}  // namespace
}  // namespace binnacle::collect::receive
