#include "show/dashboard_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "query/promql/query_meter.h"
#include "show/dashboard_devices.h"
#include "show/test_route_caller.h"
#include "store/access/testing/access_fixture.h"
#include "store/metrics/linear_store.h"

namespace binnacle::show {
namespace {

using model::Labels;
using net::Method;
using nlohmann::json;
using ::testing::HasSubstr;

class DashboardApiTest : public testing::Test {
 protected:
  DashboardApiTest() {
    EXPECT_TRUE(
        register_dashboard_api(router_, {.store = store_,
                                         .clock = access_.clock,
                                         .limits = [] { return query::promql::QueryLimits(); },
                                         .statuses = statuses_}));
  }

  void put(const Labels& labels, double value, int64_t ago_ms = 0) {
    auto appender = store_.appender();
    ASSERT_TRUE(
        appender->append(model::kNoSeries, labels, {access_.clock.wall_ms() - ago_ms, value}));
    ASSERT_TRUE(appender->commit());
  }
  // A counter that rises by `per_second` in the last minute.
  void rate(Labels labels, double per_second) {
    for (int64_t ago_ms = 60'000; ago_ms >= 0; ago_ms -= 10'000)
      put(labels, 1000 + per_second * static_cast<double>(60'000 - ago_ms) / 1000, ago_ms);
  }
  json get(std::string_view target) {
    const auto response = call_route(router_, Method::kGet, target);
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body);
  }
  net::Response report(std::string_view id, std::string_view body) {
    return call_route(router_, Method::kPost, "/api/devices/" + std::string(id) + "/status", {},
                      body);
  }
  json device(const std::string& id) {
    const json answer = get("/api/devices");
    for (const json& one : answer["devices"]) {
      if (one["device_id"] == id) return one;
    }
    return nullptr;
  }
  size_t audited() { return access_.audit->recent(0, 100)->size(); }

  store::access::AccessFixture access_;
  store::state::ObjectStore objects_{*access_.state.store, access_.clock};
  DeviceStatuses statuses_{objects_, *access_.audit, access_.clock};
  store::metrics::LinearStore store_{access_.clock};
  net::Router router_;
};

TEST_F(DashboardApiTest, AnEmptyClusterIsUnknownAndNotHealthy) {
  const json metrics = get("/api/metrics");
  EXPECT_EQ(metrics["overall_status"], "unknown");
  EXPECT_EQ(metrics["healthy"], false);
  EXPECT_TRUE(metrics["tokens_per_second"].is_null());
  EXPECT_TRUE(metrics["time_to_first_token_p95_seconds"].is_null());
  EXPECT_EQ(get("/api/devices")["devices"], json::array());
  EXPECT_EQ(get("/api/throughput")["engines"], json::array());
  EXPECT_TRUE(get("/api/stats")["requests_total"].is_null());
}

TEST_F(DashboardApiTest, RatesAreOfAllEnginesAndOfEach) {
  const auto series = [](std::string_view name, std::string_view instance) {
    return Labels{{"__name__", name}, {"engine", "vllm"}, {"instance", instance}, {"model", "m"}};
  };
  rate(series("llm_generation_tokens_total", "a:1"), 100);
  rate(series("llm_generation_tokens_total", "b:1"), 50);
  rate(series("llm_requests_finished_total", "a:1"), 2);
  const json all = get("/api/throughput");
  EXPECT_NEAR(all["tokens_per_second"], 150, 1e-6);
  EXPECT_NEAR(all["requests_per_second"], 2, 1e-6);
  ASSERT_EQ(all["engines"].size(), 2u);
  EXPECT_EQ(all["engines"][0]["instance"], "a:1");
  EXPECT_NEAR(all["engines"][0]["tokens_per_second"], 100, 1e-6);
  EXPECT_TRUE(all["engines"][1]["requests_per_second"].is_null());
  EXPECT_NEAR(get("/api/metrics")["tokens_per_second"], 150, 1e-6);
  EXPECT_EQ(get("/api/stats")["generation_tokens_total"], 1000 + 6000 + 1000 + 3000);
}

TEST_F(DashboardApiTest, LatenciesAreNotMixedBetweenEngines) {
  for (const auto& [engine, le] : {std::pair("vllm", "0.1"), {"tgi", "0.4"}}) {
    for (const std::string_view bound : {le, "+Inf"}) {
      rate(Labels{{"__name__", "llm_time_to_first_token_seconds_bucket"},
                  {"engine", engine},
                  {"le", bound}},
           1);
    }
  }
  EXPECT_NEAR(get("/api/metrics")["time_to_first_token_p50_seconds"], 0.2, 1e-9);  // tgi's
}

TEST_F(DashboardApiTest, DevicesOfEverySource) {
  put(Labels{{"__name__", "DCGM_FI_DEV_GPU_UTIL"}, {"Hostname", "n1"}, {"gpu", "0"}}, 91);
  put(Labels{{"__name__", "DCGM_FI_DEV_FB_USED"}, {"Hostname", "n1"}, {"gpu", "0"}}, 1024);
  put(Labels{{"__name__", "DCGM_FI_DEV_FB_FREE"}, {"Hostname", "n1"}, {"gpu", "0"}}, 3072);
  put(Labels{{"__name__", "node_boot_time_seconds"}, {"instance", "n1:9100"}}, 1);
  put(Labels{{"__name__", "node_boot_time_seconds"}, {"instance", "n2:9100"}}, 1);
  put(Labels{{"__name__", "mlx_gpu_utilization"}, {"instance", "mini"}, {"job", "mlx"}}, 40);
  put(Labels{{"__name__", "llm_requests_running"}, {"instance", "n1:8000"}}, 3);
  const json answer = get("/api/devices");
  EXPECT_EQ(answer["overall_status"], "healthy");
  ASSERT_EQ(answer["devices"].size(), 3u);
  const json gpu = device("n1-gpu0");
  EXPECT_EQ(gpu["memory_total_bytes"], 4096.0 * 1024 * 1024);
  EXPECT_EQ(gpu["utilization_percent"], 91);
  EXPECT_EQ(gpu["model_loaded"], true);
  EXPECT_EQ(gpu["is_healthy"], true);
  EXPECT_EQ(device("n2")["kind"], "node");
  EXPECT_EQ(device("mini")["kind"], "mac");
  EXPECT_TRUE(device("mini")["model_loaded"].is_null());
}

TEST_F(DashboardApiTest, WhatIsDownIsNotHealthy) {
  put(Labels{{"__name__", "node_boot_time_seconds"}, {"instance", "n1:9100"}}, 1);
  put(Labels{{"__name__", "up"}, {"instance", "n1:8000"}, {"job", "vllm"}}, 0);
  put(Labels{{"__name__", "node_boot_time_seconds"}, {"instance", "n2:9100"}}, 1);
  put(Labels{{"__name__", "binnacle_push_expired"}, {"instance", "mini"}, {"job", "mlx"}}, 1);
  EXPECT_EQ(device("n1")["status"], "unhealthy");
  EXPECT_EQ(device("mini")["is_healthy"], false);
  EXPECT_EQ(get("/api/metrics")["overall_status"], "degraded");
  put(Labels{{"__name__", "up"}, {"instance", "n2:9100"}}, 0);
  EXPECT_EQ(get("/api/metrics")["overall_status"], "critical");
}

TEST_F(DashboardApiTest, OldReadingsAreNoDevice) {
  put(Labels{{"__name__", "mlx_gpu_utilization"}, {"instance", "mini"}}, 40);
  access_.clock.advance_ms(301'000);
  EXPECT_EQ(get("/api/devices")["devices"], json::array());
}

TEST_F(DashboardApiTest, AReportSetsItsThreeFieldsAndIsKept) {
  EXPECT_EQ(
      report("mini%2F1", R"({"model_loaded":true,"assigned_layers":[0,1,2],"is_healthy":true})")
          .status,
      200);
  json one = device("mini/1");
  EXPECT_EQ(one["model_loaded"], true);
  EXPECT_EQ(one["assigned_layers"], (json{0, 1, 2}));
  EXPECT_EQ(one["is_healthy"], true);
  EXPECT_EQ(report("mini%2F1", R"({"assigned_layers":[3]})").status, 200);
  one = device("mini/1");
  EXPECT_EQ(one["assigned_layers"], (json{3}));
  EXPECT_EQ(one["model_loaded"], true);
  EXPECT_EQ(get("/api/metrics")["overall_status"], "healthy");
}

TEST_F(DashboardApiTest, AReportThatIsOldSaysNothingOfHealth) {
  report("mini", R"({"model_loaded":true,"is_healthy":true})");
  access_.clock.advance_ms(kReportHoldsMs + 1);
  const json one = device("mini");
  EXPECT_EQ(one["is_healthy"], false);
  EXPECT_EQ(one["status"], "unknown");
  EXPECT_EQ(one["model_loaded"], true);
}

TEST_F(DashboardApiTest, AReportDoesNotHealWhatIsDown) {
  put(Labels{{"__name__", "mlx_gpu_utilization"}, {"instance", "mini"}}, 40);
  put(Labels{{"__name__", "up"}, {"instance", "mini:11434"}}, 0);
  report("mini", R"({"is_healthy":true})");
  EXPECT_EQ(device("mini")["is_healthy"], false);
}

TEST_F(DashboardApiTest, ChangesAreAuditedRepeatsAreNot) {
  const size_t before = audited();
  report("mini", R"({"is_healthy":true})");
  access_.clock.advance_ms(10'000);
  report("mini", R"({"is_healthy":true})");
  EXPECT_EQ(audited(), before + 1);
  report("mini", R"({"is_healthy":false})");
  EXPECT_EQ(audited(), before + 2);
}

TEST_F(DashboardApiTest, BadReportsAreNamed) {
  const std::pair<const char*, const char*> bad[] = {
      {"{", "not JSON"},
      {"[]", "no JSON object"},
      {R"({"is_healthy":1})", "is_healthy"},
      {R"({"assigned_layers":"0-3"})", "assigned_layers"},
      {R"({"assigned_layers":[0.5]})", "assigned_layers"},
      {R"({"reported_ms":1})", "reported_ms"},
      {R"({"healthy":true})", "unknown member healthy"},
  };
  for (const auto& [body, word] : bad) {
    const auto response = report("mini", body);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_THAT(response.body, HasSubstr(word));
  }
  EXPECT_EQ(get("/api/devices")["devices"], json::array());
}

TEST_F(DashboardApiTest, OnlyOperatorsReport) {
  for (const auto& route : router_.routes())
    EXPECT_EQ(route->role, route->method == Method::kPost ? Role::kOperator : Role::kViewer);
}

}  // namespace
}  // namespace binnacle::show
