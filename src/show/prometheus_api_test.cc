#include "show/prometheus_api.h"

#include <gtest/gtest.h>

#include <limits>

#include "show/test_route_caller.h"
#include "store/metrics/linear_store.h"

namespace binnacle::show {
namespace {

using model::Labels;
using net::Method;

class PrometheusApiTest : public testing::Test {
 protected:
  PrometheusApiTest() {
    put(Labels{{"__name__", "up"}, {"job", "a"}}, 0, 1);
    put(Labels{{"__name__", "up"}, {"job", "a"}}, 15'000, 0.5);
    put(Labels{{"__name__", "up"}, {"job", "b"}}, 15'000, std::numeric_limits<double>::infinity());
    put(Labels{{"__name__", "x"}, {"zone", "\"q\""}}, 15'000, 1e-7);
    EXPECT_TRUE(register_prometheus_api(
        router_,
        {store_, clock_, [] { return query::promql::QueryLimits{.max_points = 100}; }, "0.1.0"}));
    clock_.advance_ms(16'000);
  }

  void put(const Labels& labels, int64_t at_ms, double value) {
    auto appender = store_.appender();
    ASSERT_TRUE(appender->append(model::kNoSeries, labels, {kStartMs + at_ms, value}));
    ASSERT_TRUE(appender->commit());
  }

  std::string get(std::string_view target, int status = 200) {
    const auto response = call_route(router_, Method::kGet, target);
    EXPECT_EQ(response.status, status) << target;
    EXPECT_EQ(response.headers.get("content-type"), "application/json");
    return response.body;
  }

  static constexpr int64_t kStartMs = 1'700'000'000'000;
  SimulatedClock clock_{kStartMs * 1'000'000};
  store::metrics::LinearStore store_{clock_};
  net::Router router_;
};

TEST_F(PrometheusApiTest, InstantQuery) {
  EXPECT_EQ(get("/api/v1/query?query=up%7Bjob%3D%22a%22%7D&time=1700000014.5"),
            R"({"status":"success","data":{"resultType":"vector","result":[)"
            R"({"metric":{"__name__":"up","job":"a"},"value":[1700000014.5,"1"]}]}})");
  // Without a time: now, which is 16 s in.
  EXPECT_EQ(get("/api/v1/query?query=x"),
            R"({"status":"success","data":{"resultType":"vector","result":[)"
            R"({"metric":{"__name__":"x","zone":"\"q\""},"value":[1700000016,"1e-7"]}]}})");
}

TEST_F(PrometheusApiTest, RangeQueryByGetAndByForm) {
  const std::string want =
      R"({"status":"success","data":{"resultType":"matrix","result":[)"
      R"({"metric":{"__name__":"up","job":"a"},"values":[[1700000000,"1"],[1700000010,"1"],[1700000020,"0.5"]]},)"
      R"({"metric":{"__name__":"up","job":"b"},"values":[[1700000020,"+Inf"]]}]}})";
  EXPECT_EQ(get("/api/v1/query_range?query=up&start=1700000000&end=2023-11-14T22:13:40Z&step=10s"),
            want);
  const auto posted = call_route(router_, Method::kPost, "/api/v1/query_range",
                                 {{"Content-Type", "application/x-www-form-urlencoded"}},
                                 "query=up&start=1700000000&end=1700000020&step=10");
  EXPECT_EQ(posted.body, want);
}

TEST_F(PrometheusApiTest, LabelsValuesAndSeries) {
  EXPECT_EQ(get("/api/v1/labels"), R"({"status":"success","data":["__name__","job","zone"]})");
  EXPECT_EQ(get("/api/v1/labels?match[]=x"), R"({"status":"success","data":["__name__","zone"]})");
  EXPECT_EQ(get("/api/v1/label/job/values"), R"({"status":"success","data":["a","b"]})");
  EXPECT_EQ(get("/api/v1/label/job/values?limit=1"), R"({"status":"success","data":["a"]})");
  EXPECT_EQ(get("/api/v1/label/__name__/values?match[]=up&match[]=x"),
            R"({"status":"success","data":["up","x"]})");
  EXPECT_EQ(get("/api/v1/label/job/values?end=1600000000"), R"({"status":"success","data":[]})");
  EXPECT_EQ(
      get("/api/v1/series?match[]=up&match[]=up{job=\"b\"}"),
      R"({"status":"success","data":[{"__name__":"up","job":"a"},{"__name__":"up","job":"b"}]})");
}

TEST_F(PrometheusApiTest, BadInputHasPrometheusErrorShape) {
  EXPECT_EQ(get("/api/v1/query?query=up%7B", 400),
            R"({"status":"error","errorType":"bad_data",)"
            R"("error":"invalid parameter \"query\": 1:4: parse error: unexpected end of input inside braces"})");
  EXPECT_NE(get("/api/v1/query", 400).find("bad_data"), std::string::npos);
  EXPECT_NE(get("/api/v1/query?query=up&time=x", 400).find("invalid parameter \\\"time\\\""),
            std::string::npos);
  EXPECT_NE(get("/api/v1/query_range?query=up&start=1&end=2", 400).find("step is missing"),
            std::string::npos);
  EXPECT_NE(get("/api/v1/query_range?query=up&start=1&end=2&step=0", 400).find("zero or negative"),
            std::string::npos);
  EXPECT_NE(get("/api/v1/query_range?query=up&start=1&end=2&step=-5s", 400).find("step"),
            std::string::npos);
  EXPECT_NE(get("/api/v1/query_range?query=up&start=2&end=1&step=1", 400).find("end timestamp"),
            std::string::npos);
  EXPECT_NE(
      get("/api/v1/query_range?query=up&start=0&end=1000&step=1", 400).find("query.max_points"),
      std::string::npos);
  EXPECT_NE(get("/api/v1/series", 400).find("no match[]"), std::string::npos);
  EXPECT_NE(get("/api/v1/labels?limit=-1", 400).find("limit"), std::string::npos);
  EXPECT_EQ(call_route(router_, Method::kDelete, "/api/v1/query").status, 405);
}

TEST_F(PrometheusApiTest, BuildInfoForGrafana) {
  EXPECT_NE(get("/api/v1/status/buildinfo").find("\"version\":\"0.1.0\""), std::string::npos);
}

}  // namespace
}  // namespace binnacle::show
