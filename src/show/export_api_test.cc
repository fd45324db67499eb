#include "show/export_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/instruments.h"
#include "show/test_route_caller.h"
#include "store/metrics/linear_store.h"

namespace binnacle::show {
namespace {

using ::testing::HasSubstr;

class ExportApiTest : public ::testing::Test {
 protected:
  ExportApiTest() {
    EXPECT_TRUE(register_export_api(router_, {store_, [this] { return limits_; }, 4096}));
  }
  void put(const model::Labels& labels, int64_t offset_ms, double value) {
    auto appender = store_.appender();
    ASSERT_TRUE(appender->append(model::kNoSeries, labels, {now_ms_ + offset_ms, value}));
    ASSERT_TRUE(appender->commit());
  }
  net::Response get(const std::string& query) {
    return call_route(router_, net::Method::kGet, "/api/binnacle/v1/export?" + query);
  }

  SimulatedClock clock_{1'700'000'000'000'000'000};
  const int64_t now_ms_ = 1'700'000'000'000;
  store::metrics::LinearStore store_{clock_};
  query::promql::QueryLimits limits_;
  net::Router router_;
  const model::Labels up_a_ = {{"__name__", "up"}, {"job", "a"}};
  const model::Labels up_b_ = {{"__name__", "up"}, {"job", "b"}};
};

TEST_F(ExportApiTest, WritesALineForEachSeries) {
  put(up_a_, 0, 1.5);
  put(up_a_, 250, 0.1);
  put(up_b_, 0, 2);
  const net::Response response = get("match[]=up");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/x-ndjson");
  EXPECT_EQ(response.body,
            "{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},\"values\":[1.5,0.1],"
            "\"timestamps\":[1700000000000,1700000000250]}\n"
            "{\"metric\":{\"__name__\":\"up\",\"job\":\"b\"},\"values\":[2],"
            "\"timestamps\":[1700000000000]}\n");
}

TEST_F(ExportApiTest, WhatJsonHasNoNumberForIsAStringAndStaleIsNull) {
  put(up_a_, 0, std::numeric_limits<double>::quiet_NaN());
  put(up_a_, 1, -std::numeric_limits<double>::infinity());
  put(up_a_, 2, model::stale_nan());
  EXPECT_THAT(get("match[]=up").body, HasSubstr("\"values\":[\"NaN\",\"-Inf\",null]"));
}

TEST_F(ExportApiTest, SelectsByTimeBothEndsIncluded) {
  for (int i = 0; i < 4; ++i) put(up_a_, i * 1000, i);
  const std::string body = get("match[]=up&start=1700000001&end=1700000002").body;
  EXPECT_THAT(body, HasSubstr("\"values\":[1,2]"));
}

TEST_F(ExportApiTest, ASeriesThatFitsTwoSelectorsComesOnce) {
  put(up_a_, 0, 1);
  const std::string body = get("match[]=up&match[]=%7Bjob%3D%22a%22%7D").body;
  EXPECT_EQ(std::count(body.begin(), body.end(), '\n'), 1);
}

TEST_F(ExportApiTest, RefusesWhatItCannotRead) {
  EXPECT_EQ(get("").status, 400);
  EXPECT_EQ(get("match[]=up%7B").status, 400);
  EXPECT_EQ(get("match[]=up&start=yesterday").status, 400);
  EXPECT_EQ(get("match[]=up&start=2&end=1").status, 400);
}

TEST_F(ExportApiTest, EndsAtItsBounds) {
  put(up_a_, 0, 1);
  put(up_a_, 1, 2);
  put(up_b_, 0, 1);
  limits_.max_samples = 2;
  EXPECT_EQ(get("match[]=up").status, 422);
  limits_.max_samples = 3;
  EXPECT_EQ(get("match[]=up").status, 200);
  limits_.max_series = 1;
  EXPECT_THAT(get("match[]=up").body, HasSubstr("query.max_series"));
}

TEST_F(ExportApiTest, EndsAtTheSizeOfItsAnswer) {
  for (int i = 0; i < 100; ++i) {
    put({{"__name__", "up"}, {"i", std::to_string(i)}}, 0, i);
  }
  EXPECT_EQ(get("match[]=up").status, 422);
}

}  // namespace
}  // namespace binnacle::show
