#include "collect/receive/otlp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <fmt/format.h>
#include <protozero/pbf_reader.hpp>

#include "collect/receive/otlp_fixture.h"
#include "collect/receive/test_store.h"
#include "net/coding.h"
#include "store/metrics/linear_store.h"

namespace binnacle::collect::receive {
namespace {

using net::Response;
using store::metrics::LinearStore;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OtlpTest : public ::testing::Test {
 protected:
  Response send(std::string_view body, std::vector<net::HeaderView> headers) {
    net::Request request;
    request.method = net::Method::kPost;
    request.body = body;
    request.headers = headers;
    return receiver_.handle(request);
  }
  Response json(std::string_view body) {
    return send(body, {{"Content-Type", "application/json"}});
  }
  Response protobuf(std::string_view body) {
    return send(body, {{"Content-Type", "application/x-protobuf"}});
  }
  // A JSON body of these metrics, of a resource with these attributes.
  static std::string body(std::string_view metrics, std::string_view attributes = "") {
    return fmt::format(
        R"({{"resourceMetrics":[{{"resource":{{"attributes":[{}]}},"scopeMetrics":[{{"scope":{{"name":"s"}},"metrics":[{}]}}]}}]}})",
        attributes, metrics);
  }
  // {"key":..,"value":{..}} of a string.
  static std::string attr(std::string_view key, std::string_view value) {
    return fmt::format(R"({{"key":"{}","value":{{"stringValue":"{}"}}}})", key, value);
  }
  std::string at(int64_t offset_ms = 0) const {
    return fmt::format(R"("timeUnixNano":"{}")", (now_ + offset_ms) * 1'000'000);
  }
  std::string gauge(std::string_view name, std::string_view value, int64_t offset_ms = 0) const {
    return fmt::format(R"({{"name":"{}","gauge":{{"dataPoints":[{{{},{}}}]}}}})", name,
                       at(offset_ms), value);
  }

  // "up{job="a"} 1@0": all that is stored, times relative to now_; the marker of staleness "stale".
  Lines stored() {
    return stored_lines(memory_, ".*", {now_ - 1'000'000'000, now_ + 1'000'000}, now_);
  }

  SimulatedClock clock_;
  Registry registry_;
  LinearStore memory_{
      clock_,
      {.late_limit_ms = 600'000, .out_of_order_ms = 0, .max_ahead_ms = 60'000, .max_series = 40}};
  WatchedStore store_{memory_};
  OtlpReceiver receiver_{
      {.max_body_bytes = 100'000, .labels = {.max_count = 8, .max_value_bytes = 64}, .otlp = {}},
      store_,
      clock_,
      registry_};
  const int64_t now_ = clock_.wall_ms();
};

TEST_F(OtlpTest, GaugesSumsAndTheirMetadata) {
  const std::string metrics =
      gauge("temp", R"("asDouble":1.5)") + "," +
      fmt::format(
          R"({{"name":"http.requests","unit":"{{request}}","description":"All.","sum":{{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{{{},"asInt":"7","attributes":[{},{{"key":"code","value":{{"intValue":"200"}}}}]}}]}}}})",
          at(-5), attr("http.method", "GET"));
  const Response response = json(body(metrics));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{}");
  EXPECT_EQ(stored(),
            (Lines{R"(http_requests_total{code="200", http_method="GET"} 7@-5)", "temp 1.5@0"}));
  EXPECT_EQ(store_.metadata["http_requests_total"],
            (model::MetricMetadata{model::MetricType::kCounter, "All.", ""}));
  EXPECT_EQ(store_.metadata["temp"].type, model::MetricType::kGauge);
}

TEST_F(OtlpTest, ResourcesBecomeJobInstanceAndTargetInfo) {
  const std::string resource = attr("service.name", "trainer") + "," +
                               attr("service.namespace", "lab") + "," +
                               attr("service.instance.id", "i1") + "," + attr("host.name", "n7");
  EXPECT_EQ(json(body(gauge("x", R"("asInt":"1")"), resource)).status, 200);
  EXPECT_EQ(stored(), (Lines{R"(target_info{host_name="n7", instance="i1", job="lab/trainer"} 1@0)",
                             R"(x{instance="i1", job="lab/trainer"} 1@0)"}));
}

TEST_F(OtlpTest, NoTargetInfoThatSaysNothing) {
  json(body(gauge("x", R"("asInt":"1")"), attr("service.name", "a")));
  json(body(gauge("y", R"("asInt":"1")"), attr("host.name", "a")));
  EXPECT_EQ(stored(), (Lines{R"(x{job="a"} 1@0)", "y 1@0"}));
}

TEST_F(OtlpTest, PromotedAttributesAndOtherNames) {
  OtlpReceiverOptions options;
  options.otlp.promote_resource_attributes = {"host.name"};
  options.otlp.translation = OtlpTranslation::kNoTranslation;
  receiver_.set_options(options);
  json(body(gauge("a.b", R"("asInt":"1")"), attr("host.name", "n") + "," + attr("os", "l")));
  EXPECT_EQ(stored(), (Lines{R"({"a.b", "host.name"="n"} 1@0)"}));
}

TEST_F(OtlpTest, TargetInfoStandsBetweenPointsToo) {
  const std::string resource = attr("service.name", "a") + "," + attr("host.name", "n");
  json(body(gauge("x", R"("asInt":"1")", -200'000) + "," + gauge("y", R"("asInt":"1")"), resource));
  EXPECT_EQ(stored()[0], R"(target_info{host_name="n", job="a"} 1@-200000 1@-50000 1@0)");
}

TEST_F(OtlpTest, HistogramsBecomeClassicSeries) {
  const std::string metric = fmt::format(
      R"({{"name":"lat","unit":"s","histogram":{{"aggregationTemporality":2,"dataPoints":[{{{},"count":"6","sum":9.5,"bucketCounts":["1","2","3"],"explicitBounds":[0.5,1000000],"min":0.1}}]}}}})",
      at());
  EXPECT_EQ(json(body(metric)).body, "{}");
  EXPECT_EQ(stored(),
            (Lines{R"(lat_seconds_bucket{le="+Inf"} 6@0)", R"(lat_seconds_bucket{le="0.5"} 1@0)",
                   R"(lat_seconds_bucket{le="1000000"} 3@0)", "lat_seconds_count 6@0",
                   "lat_seconds_sum 9.5@0"}));
  EXPECT_EQ(store_.metadata["lat_seconds"],
            (model::MetricMetadata{model::MetricType::kHistogram, "", "seconds"}));
}

TEST_F(OtlpTest, SummariesBecomeClassicSeries) {
  const std::string metric = fmt::format(
      R"({{"name":"gc","summary":{{"dataPoints":[{{{},"count":3,"sum":1,"quantileValues":[{{"quantile":0.5,"value":2}},{{"quantile":1,"value":"NaN"}}]}}]}}}})",
      at());
  EXPECT_EQ(json(body(metric)).body, "{}");
  EXPECT_EQ(stored(), (Lines{R"(gc{quantile="0.5"} 2@0)", R"(gc{quantile="1"} NaN@0)",
                             "gc_count 3@0", "gc_sum 1@0"}));
}

// Fields of the other kind are unknown ones: they must not reach for values that are not there.
TEST_F(OtlpTest, ASummaryHasNoBucketsAndAHistogramNoQuantiles) {
  const std::string summary = fmt::format(
      R"({{"name":"gc","summary":{{"dataPoints":[{{{},"count":3,"sum":1,"explicitBounds":[0.5,1e300],"bucketCounts":[1]}}]}}}})",
      at());
  const std::string histogram = fmt::format(
      R"({{"name":"lat","histogram":{{"aggregationTemporality":2,"dataPoints":[{{{},"count":"6","sum":9.5,"bucketCounts":[2,4],"explicitBounds":[1],"quantileValues":[{{"quantile":0.5,"value":2}}]}}]}}}})",
      at());
  EXPECT_EQ(json(body(summary + "," + histogram)).body, "{}");
  EXPECT_EQ(stored(), (Lines{"gc_count 3@0", "gc_sum 1@0", R"(lat_bucket{le="+Inf"} 6@0)",
                             R"(lat_bucket{le="1"} 2@0)", "lat_count 6@0", "lat_sum 9.5@0"}));
}

TEST_F(OtlpTest, NoRecordedValueIsAStaleMarker) {
  json(body(gauge("x", R"("flags":1)")));
  EXPECT_EQ(stored(), (Lines{"x stale@0"}));
}

TEST_F(OtlpTest, ProtobufSaysTheSame) {
  const auto after = [this](int64_t offset_ms) { return (now_ + offset_ms) * 1'000'000; };
  const OtlpMessage gauge_metric = OtlpMessage().text(1, "temp").message(
      5, OtlpMessage().message(
             1, OtlpMessage().fixed(3, after(0)).number(4, 1.5).attribute(7, "a.b", "c")));
  // The points stand before the temporality, as senders write them.
  const OtlpMessage sum = OtlpMessage().text(1, "done").text(3, "By").message(
      7, OtlpMessage()
             .message(1, OtlpMessage().fixed(3, after(-9)).fixed(6, -4))
             .varint(2, 2)
             .varint(3, 1));
  const OtlpMessage histogram =
      OtlpMessage().text(1, "lat").message(9, OtlpMessage()
                                                  .message(1, OtlpMessage()
                                                                  .fixed(3, after(0))
                                                                  .fixed(4, 3)
                                                                  .number(5, 2.5)
                                                                  .packed_fixed(6, {1, 2})
                                                                  .packed_numbers(7, {10}))
                                                  .varint(2, 2));
  const OtlpMessage summary = OtlpMessage().text(1, "gc").message(
      11, OtlpMessage().message(1, OtlpMessage()
                                       .fixed(3, after(0))
                                       .fixed(4, 3)
                                       .number(5, 1)
                                       .message(6, OtlpMessage().number(1, 0.5).number(2, 2))));
  const OtlpMessage stale = OtlpMessage().text(1, "gone").message(
      5, OtlpMessage().message(1, OtlpMessage().fixed(3, after(0)).varint(8, 1)));
  const Response response = protobuf(otlp_body(OtlpMessage().attribute(1, "service.name", "j"),
                                               {gauge_metric, sum, histogram, summary, stale}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.headers.get("Content-Type"), "application/x-protobuf");
  EXPECT_EQ(stored(),
            (Lines{R"(done_bytes_total{job="j"} -4@-9)", R"(gc{job="j", quantile="0.5"} 2@0)",
                   R"(gc_count{job="j"} 3@0)", R"(gc_sum{job="j"} 1@0)", R"(gone{job="j"} stale@0)",
                   R"(lat_bucket{job="j", le="+Inf"} 3@0)", R"(lat_bucket{job="j", le="10"} 1@0)",
                   R"(lat_count{job="j"} 3@0)", R"(lat_sum{job="j"} 2.5@0)",
                   R"(temp{a_b="c", job="j"} 1.5@0)"}));
}

TEST_F(OtlpTest, ValuesOfEveryTypeAreText) {
  const std::string value =
      R"({"arrayValue":{"values":[{"stringValue":"a\"b"},{"intValue":"3"},{"boolValue":true},{"kvlistValue":{"values":[{"key":"z","value":{"doubleValue":0.5}},{"key":"b","value":null}]}},{}]}})";
  json(
      body(gauge("x", fmt::format(R"("asInt":1,"attributes":[{{"key":"v","value":{}}}])", value))));
  EXPECT_EQ(stored(), (Lines{R"(x{v="[\"a\\\"b\",3,true,{\"b\":null,\"z\":0.5},null]"} 1@0)"}));

  OtlpMessage list;
  list.message(1, OtlpMessage().text(1, "a")).message(1, OtlpMessage().varint(3, -1));
  const OtlpMessage point =
      OtlpMessage()
          .fixed(3, now_ * 1'000'000)
          .number(4, 1)
          .message(7, OtlpMessage().text(1, "v").message(2, OtlpMessage().message(5, list)));
  protobuf(otlp_body(OtlpMessage(),
                     {OtlpMessage().text(1, "y").message(5, OtlpMessage().message(1, point))}));
  EXPECT_EQ(stored().back(), R"(y{v="[\"a\",-1]"} 1@0)");
}

TEST_F(OtlpTest, AttributesThatBecomeOneLabelAreJoined) {
  json(body(gauge(
      "x", fmt::format(R"("asInt":1,"attributes":[{},{}])", attr("a_b", "2"), attr("a.b", "1")))));
  EXPECT_EQ(stored(), (Lines{R"(x{a_b="1;2"} 1@0)"}));
}

TEST_F(OtlpTest, GoodPointsAreStoredBesideBadOnes) {
  const std::string delta = fmt::format(
      R"({{"name":"d","sum":{{"aggregationTemporality":1,"dataPoints":[{{{0},"asInt":"1"}},{{{0},"asInt":"2"}}]}}}})",
      at());
  const std::string exponential = fmt::format(
      R"({{"name":"e","exponentialHistogram":{{"aggregationTemporality":2,"dataPoints":[{{{},"count":"1","scale":3}}]}}}})",
      at());
  const std::string broken = fmt::format(
      R"({{"name":"h","histogram":{{"aggregationTemporality":"AGGREGATION_TEMPORALITY_CUMULATIVE","dataPoints":[{{{},"count":"1","bucketCounts":[1],"explicitBounds":[1]}}]}}}})",
      at());
  const Response response = json(
      body(delta + "," + exponential + "," + broken + "," + gauge("old", R"("asInt":1)", -700'000) +
           "," + gauge("none", R"("startTimeUnixNano":"1")") + "," +
           gauge("long",
                 fmt::format(R"("asInt":1,"attributes":[{}])", attr("a", std::string(65, 'x')))) +
           "," + gauge("good", R"("asInt":1)")));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("rejectedDataPoints":"7")"));
  for (const char* word :
       {"7 of 8 data points", "delta_temporality: 2", "TEMPORALITY_PREFERENCE=cumulative",
        "explicit_bucket_histogram", "malformed_histogram: 1", "out_of_bounds: 1", "no_value: 1",
        "max_label_value_bytes"}) {
    EXPECT_THAT(response.body, HasSubstr(word));
  }
  EXPECT_EQ(stored(), (Lines{"good 1@0"}));
}

TEST_F(OtlpTest, PartialSuccessInProtobuf) {
  const OtlpMessage metric = OtlpMessage().text(1, "d").message(
      7,
      OtlpMessage().message(1, OtlpMessage().fixed(3, now_ * 1'000'000).fixed(6, 1)).varint(2, 1));
  const Response response = protobuf(otlp_body(OtlpMessage(), {metric}));
  EXPECT_EQ(response.status, 200);
  protozero::pbf_reader answer(response.body);
  ASSERT_TRUE(answer.next(1));
  protozero::pbf_reader partial = answer.get_message();
  ASSERT_TRUE(partial.next(1));
  EXPECT_EQ(partial.get_int64(), 1);
  ASSERT_TRUE(partial.next(2));
  EXPECT_THAT(partial.get_string(), HasSubstr("delta_temporality: 1"));
}

TEST_F(OtlpTest, APointOfManySeriesIsRefusedOnce) {
  std::string points;
  for (int i = 0; i < 30; ++i) points += gauge("g" + std::to_string(i), R"("asInt":1)") + ",";
  const std::string histogram = fmt::format(
      R"({{"name":"h","histogram":{{"aggregationTemporality":2,"dataPoints":[{{{},"count":"9","sum":1,"bucketCounts":[1,1,1,1,1,1,1,1,1,0,0,0],"explicitBounds":[1,2,3,4,5,6,7,8,9,10,11]}}]}}}})",
      at());
  EXPECT_THAT(json(body(points + histogram)).body, HasSubstr(R"("rejectedDataPoints":"1")"));
}

TEST_F(OtlpTest, MalformedBodiesAreRefusedWhole) {
  EXPECT_EQ(json("{").status, 400);
  EXPECT_THAT(json("{").body, HasSubstr(R"({"code":3,"message":"OTLP body: not JSON)"));
  EXPECT_EQ(json(R"({"resourceMetrics":7})").status, 400);
  EXPECT_EQ(json(body(gauge("x", R"("asInt":"seven")"))).status, 400);
  const OtlpMessage point = OtlpMessage().fixed(3, now_ * 1'000'000).number(4, 1);
  const std::string good = otlp_body(
      OtlpMessage(), {OtlpMessage().text(1, "y").message(5, OtlpMessage().message(1, point))});
  for (size_t cut = 1; cut < good.size(); ++cut)
    EXPECT_EQ(protobuf(good.substr(0, cut)).status, 400);
  EXPECT_THAT(stored(), IsEmpty());
  const std::string wrong("\x08\x01", 2);  // resource_metrics as a number
  EXPECT_EQ(protobuf(wrong).status, 400);
}

TEST_F(OtlpTest, ValuesNestOnlySoDeep) {
  std::string value = R"({"stringValue":"x"})";
  for (int i = 0; i < 20; ++i) value = R"({"arrayValue":{"values":[)" + value + "]}}";
  const Response response = json(
      body(gauge("x", fmt::format(R"("asInt":1,"attributes":[{{"key":"v","value":{}}}])", value))));
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("nests more than 16 deep"));
}

TEST_F(OtlpTest, CodingsAndTypes) {
  const std::string good = body(gauge("x", R"("asInt":1)"));
  const std::string packed = net::encode(net::Coding::kGzip, good);
  EXPECT_EQ(send(packed, {{"Content-Type", "application/json; charset=utf-8"},
                          {"Content-Encoding", "gzip"}})
                .status,
            200);
  EXPECT_EQ(stored().size(), 1u);
  EXPECT_EQ(send(packed.substr(0, packed.size() / 2),
                 {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}})
                .status,
            400);
  EXPECT_EQ(
      send(good, {{"Content-Type", "application/json"}, {"Content-Encoding", "snappy"}}).status,
      415);
  EXPECT_EQ(send(good, {{"Content-Type", "text/plain"}}).status, 415);
  const std::string bomb = net::encode(net::Coding::kGzip, std::string(200'000, ' '));
  EXPECT_EQ(send(bomb, {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}}).status,
            413);
}

TEST_F(OtlpTest, ABodyThatGrowsWhenDecodedIsRefused) {
  receiver_.set_options({.max_body_bytes = 1000, .labels = {}, .otlp = {}});
  std::string points;
  for (int i = 0; i < 100; ++i) points += std::string("\x0a\x00", 2);  // 80 bytes each, decoded
  std::string bytes;
  protozero::pbf_writer(bytes).add_message(5, points);
  std::string scope;
  protozero::pbf_writer(scope).add_message(2, bytes);
  std::string resource;
  protozero::pbf_writer(resource).add_message(2, scope);
  std::string all;
  protozero::pbf_writer(all).add_message(1, resource);
  EXPECT_EQ(protobuf(all).status, 413);
}

TEST_F(OtlpTest, AFailingStoreIsToBeTriedAgain) {
  store_.commit_error = Error{Code::kUnavailable, "loading"};
  const Response response = json(body(gauge("x", R"("asInt":1)")));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.get("Retry-After"), "5");
  EXPECT_EQ(response.body, R"({"code":14,"message":"loading"})");
  store_.commit_error = Error{Code::kInternal, "bug"};
  EXPECT_EQ(json(body(gauge("x", R"("asInt":1)"))).status, 500);
}

TEST_F(OtlpTest, ItsRoutesAreForIngestAlone) {
  net::Router router;
  ASSERT_TRUE(receiver_.register_routes(router));
  ASSERT_EQ(router.routes().size(), 2u);
  for (const auto& route : router.routes()) {
    EXPECT_EQ(route->role, Role::kIngest);
    EXPECT_EQ(route->group, net::RouteGroup::kIngest);
  }
}

}  // namespace
}  // namespace binnacle::collect::receive
