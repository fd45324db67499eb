#include "show/metadata_api.h"

#include <atomic>
#include <memory>

#include <gmock/gmock.h>

#include "show/api_routes.h"
#include "show/test_api.h"

namespace binnacle::show {
namespace {

using testing::HasSubstr;

class MetadataApiTest : public ApiTest {};

TEST_F(MetadataApiTest, LabelsAndValues) {
  EXPECT_EQ(data("/api/v1/labels"), R"(["__name__","http.status","job","zone"])");
  EXPECT_EQ(data("/api/v1/labels?match[]=up"), R"(["__name__","job"])");
  EXPECT_EQ(data("/api/v1/label/job/values"), R"(["a","b"])");
  EXPECT_EQ(data("/api/v1/label/__name__/values?match[]=up&match[]=x"), R"(["up","x"])");
  EXPECT_EQ(data("/api/v1/label/job/values?end=1600000000"), "[]");
  EXPECT_EQ(data("/api/v1/label/job/values?start=2&end=1"), "[]");
  EXPECT_EQ(data("/api/v1/label/none/values"), "[]");
}

TEST_F(MetadataApiTest, NamesThatPathsCannotHold) {
  EXPECT_EQ(data("/api/v1/label/U__http_2e_status/values"), R"(["1"])");
  EXPECT_EQ(data("/api/v1/label/http.status/values"), R"(["1"])");
  EXPECT_EQ(unescape_label_name("U__a__b_1f600_"), "a_b\xF0\x9F\x98\x80");
  EXPECT_EQ(unescape_label_name("U__a_b"), "U__a_b");
  EXPECT_EQ(unescape_label_name("U__a_d800_"), "U__a_d800_");
  EXPECT_EQ(unescape_label_name("plain_2e_"), "plain_2e_");
  EXPECT_THAT(bad("/api/v1/label/%ff/values"), HasSubstr("invalid label name"));
}

TEST_F(MetadataApiTest, Series) {
  EXPECT_EQ(data("/api/v1/series?match[]=up&match[]=up{job=\"b\"}"),
            R"([{"__name__":"up","job":"a"},{"__name__":"up","job":"b"}])");
  EXPECT_EQ(bad("/api/v1/series"), "no match[] parameter provided");
  EXPECT_THAT(bad("/api/v1/series?match[]=up%7B"),
              HasSubstr(R"(invalid parameter \"match[]\": 1:4: parse error)"));
  EXPECT_EQ(
      bad("/api/v1/series?match[]=%7B%7D"),
      R"(invalid parameter \"match[]\": match[] must contain at least one non-empty matcher)");
  EXPECT_EQ(bad("/api/v1/labels?match[]=%7B%7D"),
            "match[] must contain at least one non-empty matcher");
}

TEST_F(MetadataApiTest, LimitsAreTold) {
  const std::string warning = R"(],"warnings":["results truncated due to limit"]})";
  EXPECT_EQ(get("/api/v1/label/job/values?limit=1"),
            R"({"status":"success","data":["a")" + warning);
  EXPECT_EQ(get("/api/v1/labels?limit=2"),
            R"({"status":"success","data":["__name__","http.status")" + warning);
  EXPECT_EQ(get("/api/v1/series?match[]=up&limit=1"),
            R"({"status":"success","data":[{"__name__":"up","job":"a"})" + warning);
  EXPECT_EQ(data("/api/v1/label/job/values?limit=2"), R"(["a","b"])");
}

TEST_F(MetadataApiTest, WithoutALimitTheSettingsHolds) {
  const std::string warning = R"(],"warnings":["results truncated due to limit"]})";
  limits_.max_label_answers = 1;
  for (const char* limit : {"", "&limit=0"}) {
    EXPECT_EQ(get(std::string("/api/v1/label/job/values?match[]=up") + limit),
              R"({"status":"success","data":["a")" + warning);
    EXPECT_EQ(get(std::string("/api/v1/label/__name__/values?match[]=x&match[]=up") + limit),
              R"({"status":"success","data":["up")" + warning);
    EXPECT_EQ(get(std::string("/api/v1/labels?match[]=up") + limit),
              R"({"status":"success","data":["__name__")" + warning);
    EXPECT_EQ(get(std::string("/api/v1/series?match[]=x&match[]=up") + limit),
              R"({"status":"success","data":[{"__name__":"up","job":"a"})" + warning);
  }
  // As asked, be it more.
  EXPECT_EQ(data("/api/v1/label/job/values?limit=2"), R"(["a","b"])");
  EXPECT_EQ(data("/api/v1/labels?limit=4"), R"(["__name__","http.status","job","zone"])");
  EXPECT_EQ(data("/api/v1/series?match[]=up&limit=2"),
            R"([{"__name__":"up","job":"a"},{"__name__":"up","job":"b"}])");
  limits_.max_label_answers = 2;
  EXPECT_EQ(data("/api/v1/label/job/values"), R"(["a","b"])");
}

TEST_F(MetadataApiTest, MoreSeriesThanQueriesMayTouch) {
  put(model::Labels{{"__name__", "up"}, {"job", "c"}}, 0, 1);
  limits_.max_series = 1;
  EXPECT_EQ(get("/api/v1/series?match[]=up"),
            R"({"status":"success","data":[{"__name__":"up","job":"a"}],)"
            R"("warnings":["results truncated due to limit"]})");
  EXPECT_THAT(get("/api/v1/series?match[]=up&limit=5", 422), HasSubstr("query.max_series"));
}

TEST_F(MetadataApiTest, TheyTakeTurnsWithQueriesAndEndWithTheirCaller) {
  query::promql::QueryQueue queue({}, clock_, registry_);
  QueryRequests requests(queue);
  net::Router router;
  ASSERT_TRUE(
      register_metadata_api(router, std::make_shared<PrometheusApiDeps>(PrometheusApiDeps{
                                        .store = store_,
                                        .clock = clock_,
                                        .limits = [this] { return limits_; },
                                        .log = log_,
                                        .queue = &requests,
                                        .metadata = [this] { return metadata_; },
                                        .external_labels = [this] { return external_labels_; },
                                        .facts = [this] { return facts_; }})));
  const std::atomic<bool> gone = true;
  for (const char* path : {"/api/v1/labels", "/api/v1/label/job/values", "/api/v1/series"}) {
    net::Request request;
    request.query = "match[]=up";
    request.cancelled = &gone;
    const auto match = router.match(net::Method::kGet, path, request.path_params);
    ASSERT_NE(match.route, nullptr) << path;
    EXPECT_EQ(match.route->queue, &requests) << path;
    const auto answer = std::get<net::Handler>(match.route->handler)(request);
    EXPECT_EQ(answer.status, 499) << path;
  }
}

TEST_F(MetadataApiTest, Metadata) {
  metadata_ = {{"a_total", {model::MetricType::kCounter, "Help \"a\".", ""}},
               {"b_seconds", {model::MetricType::kGaugeHistogram, "B.", "seconds"}}};
  EXPECT_EQ(data("/api/v1/metadata"),
            R"({"a_total":[{"type":"counter","unit":"","help":"Help \"a\"."}],)"
            R"("b_seconds":[{"type":"gaugehistogram","unit":"seconds","help":"B."}]})");
  EXPECT_EQ(data("/api/v1/metadata?limit=1&limit_per_metric=1"),
            R"({"a_total":[{"type":"counter","unit":"","help":"Help \"a\"."}]})");
  EXPECT_THAT(data("/api/v1/metadata?metric=b_seconds"), HasSubstr("{\"b_seconds\""));
  EXPECT_EQ(data("/api/v1/metadata?metric=none"), "{}");
  EXPECT_EQ(bad("/api/v1/metadata?limit=x"), "limit must be a number");
}

}  // namespace
}  // namespace binnacle::show
