#include "collect/receive/remote_write.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/receive/test_bodies.h"
#include "collect/receive/test_store.h"
#include "store/metrics/linear_store.h"

namespace binnacle::collect::receive {
namespace {

using net::Response;
using store::metrics::LinearStore;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class RemoteWriteTest : public ::testing::Test {
 protected:
  Response send(std::string_view body, std::vector<net::HeaderView> headers = {}) {
    net::Request request;
    request.method = net::Method::kPost;
    request.body = body;
    request.headers = headers;
    return receiver_.handle(request);
  }
  Response send(const WriteBody& body) { return send(body.compressed()); }

  // "up{job="a"} 1@0 2@1000": all that is stored, times relative to now_.
  Lines stored() { return stored_lines(memory_, ".*", {now_ - 1'000'000, now_ + 1'000'000}, now_); }

  static std::string written(const Response& response) {
    return std::string(response.headers.get("X-Prometheus-Remote-Write-Samples-Written"));
  }
  double refusals(const std::string& reason) {
    return registry_
        .counter("binnacle_remote_write_refused_total",
                 "Samples that came by remote write and were not stored, by reason.",
                 {{"reason", reason}})
        .value();
  }

  SimulatedClock clock_;
  SeededRandom random_{1};
  Registry registry_;
  LinearStore memory_{
      clock_,
      {.late_limit_ms = 600'000, .out_of_order_ms = 0, .max_ahead_ms = 60'000, .max_series = 50}};
  WatchedStore store_{memory_};
  RemoteWrite receiver_{RemoteWriteOptions{.max_body_bytes = 100'000, .labels = {.max_count = 4}},
                        store_, clock_, random_, registry_};
  const int64_t now_ = clock_.wall_ms();
  const TestLabels up_a_ = {{"__name__", "up"}, {"job", "a"}};
  const TestLabels up_b_ = {{"__name__", "up"}, {"job", "b"}};
};

TEST_F(RemoteWriteTest, StoresAndAnswersWithCounts) {
  const Response response =
      send(WriteBody().series(up_a_, {{now_, 1}, {now_ + 1000, 2}}).series(up_b_, {{now_, 3}}));
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(written(response), "3");
  EXPECT_EQ(response.headers.get("X-Prometheus-Remote-Write-Histograms-Written"), "0");
  EXPECT_EQ(response.headers.get("X-Prometheus-Remote-Write-Exemplars-Written"), "0");
  EXPECT_EQ(stored(), (Lines{R"(up{job="a"} 1@0 2@1000)", R"(up{job="b"} 3@0)"}));
}

TEST_F(RemoteWriteTest, KnownSeriesCostNoLabels) {
  send(WriteBody().series(up_a_, {{now_, 1}}));
  EXPECT_EQ(store_.with_labels, 1u);
  EXPECT_EQ(send(WriteBody().series(up_a_, {{now_ + 1, 2}})).status, 204);
  EXPECT_EQ(store_.with_labels, 1u);
  EXPECT_EQ(store_.by_ref, 1u);
  EXPECT_EQ(receiver_.cache().size(), 1u);
  EXPECT_EQ(stored(), (Lines{R"(up{job="a"} 1@0 2@1)"}));
}

TEST_F(RemoteWriteTest, WhatEndsLikeASampleIsNone) {
  WriteBody good, bad;
  good.series(up_a_, {{now_, 1}});
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  for (const auto& [name, value] : up_a_) WriteBody::add_label(writer, name, value);
  WriteBody::add_sample(writer, {now_ + 1, 2});
  std::string exemplar;
  protozero::pbf_writer inner(exemplar);
  WriteBody::add_sample(inner, {now_ + 2, 3});
  writer.add_message(3, "(" + exemplar);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(send(good).status, 204);
    EXPECT_EQ(send(bad.raw_series(bytes)).status, 204);
  }
  EXPECT_EQ(stored(), (Lines{R"(up{job="a"} 1@0 2@1)"}));
  EXPECT_EQ(receiver_.cache().size(), 1u);
}

TEST_F(RemoteWriteTest, LabelsInAnotherOrderAreTheSameSeries) {
  send(WriteBody().series(up_a_, {{now_, 1}}));
  const TestLabels turned = {{"job", "a"}, {"__name__", "up"}};
  EXPECT_EQ(send(WriteBody().series(turned, {{now_ + 1, 2}})).status, 204);
  EXPECT_EQ(send(WriteBody().series(turned, {{now_ + 2, 3}})).status, 204);
  EXPECT_EQ(stored(), (Lines{R"(up{job="a"} 1@0 2@1 3@2)"}));
}

TEST_F(RemoteWriteTest, ASeriesThatTheStoreForgotIsLookedUpAgain) {
  send(WriteBody().series(up_a_, {{now_, 1}}));
  store_.forgets = true;
  EXPECT_EQ(send(WriteBody().series(up_a_, {{now_ + 1, 2}, {now_ + 2, 3}})).status, 204);
  EXPECT_EQ(stored(), (Lines{R"(up{job="a"} 1@0 2@1 3@2)"}));
}

TEST_F(RemoteWriteTest, SeriesThatComeNoMoreLeaveTheCache) {
  send(WriteBody().series(up_a_, {{now_, 1}}).series(up_b_, {{now_, 1}}));
  for (int i = 1; i <= 4; ++i) {
    clock_.advance_ms(301'000);
    send(WriteBody().series(up_a_, {{clock_.wall_ms(), 1}}));
  }
  EXPECT_EQ(receiver_.cache().size(), 1u);
}

TEST_F(RemoteWriteTest, BadSeriesAreRefusedAndTheOthersStored) {
  const Response response =
      send(WriteBody()
               .series({{"job", "nameless"}}, {{now_, 1}, {now_ + 1, 2}})
               .series(up_a_, {{now_, 1}})
               .series({{"__name__", "x"}, {"a", "1"}, {"a", "2"}}, {{now_, 1}}));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(written(response), "1");
  EXPECT_EQ(response.body,
            "remote write: 3 of 4 samples refused (no_metric_name: 2, duplicate_label: 1); "
            "1 stored\n"
            "{job=\"nameless\"}: no_metric_name\n"
            "x{a=\"2\"}: duplicate_label\n");
  EXPECT_EQ(stored(), (Lines{R"(up{job="a"} 1@0)"}));
  EXPECT_EQ(refusals("no_metric_name"), 2);
}

TEST_F(RemoteWriteTest, BadSamplesAreRefusedAndTheOthersStored) {
  const Response response = send(WriteBody()
                                     .series(up_a_, {{now_ - 10'000'000, 1}, {now_, 2}})
                                     .series(up_b_, {{now_, 1}, {now_ + 600'000, 3}}));
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, StartsWith("remote write: 2 of 4 samples refused (out_of_bounds: 2); "
                                        "2 stored\n"));
  EXPECT_THAT(response.body, HasSubstr("up{job=\"a\"}"));
  EXPECT_EQ(stored(), (Lines{R"(up{job="a"} 2@0)", R"(up{job="b"} 1@0)"}));
}

TEST_F(RemoteWriteTest, NamesTenAndCountsTheRest) {
  WriteBody body;
  for (int i = 0; i < 17; ++i) body.series({{"job", std::to_string(i)}}, {{now_, 1}});
  const Response response = send(body);
  EXPECT_THAT(response.body, HasSubstr("{job=\"9\"}: no_metric_name\nand 7 more\n"));
  EXPECT_THAT(response.body, Not(HasSubstr("{job=\"10\"}")));
}

TEST_F(RemoteWriteTest, SeriesBeyondTheStoresLimitAreRefused) {
  WriteBody body;
  for (int i = 0; i < 52; ++i)
    body.series({{"__name__", "m"}, {"i", std::to_string(i)}}, {{now_, 1}});
  const Response response = send(body);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(written(response), "50");
  EXPECT_THAT(response.body, HasSubstr("series_limit: 2"));
}

TEST_F(RemoteWriteTest, HistogramsAreRefusedByNameAndExemplarsDropped) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  WriteBody::add_label(writer, "__name__", "h");
  WriteBody::add_sample(writer, {now_, 1});
  writer.add_message(3, std::string());
  EXPECT_EQ(send(WriteBody().raw_series(bytes)).status, 204);
  EXPECT_EQ(refusals("exemplar"), 1);
  writer.add_message(4, std::string());
  const Response response = send(WriteBody().raw_series(bytes));
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("1 of 2 samples refused (native_histogram: 1); 1 stored"));
}

TEST_F(RemoteWriteTest, MetadataReachesTheStore) {
  EXPECT_EQ(send(WriteBody().metadata(2, "up", "Is it?", "")).status, 204);
  EXPECT_EQ(store_.metadata["up"],
            (model::MetricMetadata{model::MetricType::kGauge, "Is it?", ""}));
}

// A cut may fall between two series: then what is left is a whole body of its own.
TEST_F(RemoteWriteTest, EveryTruncationIsRefusedAndNothingStored) {
  WriteBody body;
  body.series(up_a_, {{now_, 1}, {now_ + 1, 2}});
  const std::string& bytes = body.bytes();
  for (size_t cut = 1; cut < bytes.size(); ++cut)
    ASSERT_EQ(send(WriteBody::compress(bytes.substr(0, cut))).status, 400) << cut;
  const std::string coded = body.compressed();
  for (size_t cut = 0; cut < coded.size(); ++cut)
    ASSERT_EQ(send(coded.substr(0, cut)).status, 400) << cut;
  EXPECT_EQ(store_.commits, 0u);
  EXPECT_EQ(store_.with_labels, 0u);
  EXPECT_EQ(stored(), Lines{});
}

TEST_F(RemoteWriteTest, AMalformedLabelInTheLastSeriesRefusesTheWholeBody) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  writer.add_message(1, std::string("\x0a\x7f"));
  WriteBody::add_sample(writer, {now_, 1});
  EXPECT_EQ(send(WriteBody().series(up_a_, {{now_, 1}}).raw_series(bytes)).status, 400);
  EXPECT_EQ(stored(), Lines{});
}

TEST_F(RemoteWriteTest, AStoreThatCannotCommitIsTriedAgainLater) {
  for (const Code code : {Code::kUnavailable, Code::kResourceExhausted}) {
    store_.commit_error = Error{code, "the disk is full"};
    const Response response = send(WriteBody().series(up_a_, {{now_, 1}}));
    EXPECT_EQ(response.status, 503);
    EXPECT_FALSE(response.headers.get("Retry-After").empty());
    EXPECT_EQ(written(response), "0");
    EXPECT_EQ(receiver_.cache().size(), 0u);
  }
  store_.commit_error = Error{Code::kInternal, "a bug"};
  EXPECT_EQ(send(WriteBody().series(up_a_, {{now_, 1}})).status, 500);
}

TEST_F(RemoteWriteTest, ABodyThatSwellsIsRefusedBeforeItIsDecompressed) {
  const std::string swollen = WriteBody::compress(std::string(100'001, '\0'));
  EXPECT_EQ(send(swollen).status, 413);
  EXPECT_EQ(send(std::string_view("\xff\xff\xff\xff\x0f", 5)).status, 413);
  EXPECT_EQ(send(std::string_view("\xff\xff\xff\xff\xff\xff", 6)).status, 400);
}

TEST_F(RemoteWriteTest, HeadersAreJudgedAsPrometheusJudgesThem) {
  const std::string body = WriteBody().series(up_a_, {{now_, 1}}).compressed();
  const auto status = [&](std::string_view name, std::string_view value) {
    return send(body, {{name, value}}).status;
  };
  EXPECT_EQ(status("Content-Type", "application/x-protobuf"), 204);
  EXPECT_EQ(status("Content-Type", "application/x-protobuf; proto=prometheus.WriteRequest"), 204);
  EXPECT_EQ(status("Content-Type", "application/x-protobuf;proto=io.prometheus.write.v3.Request"),
            415);
  EXPECT_EQ(status("Content-Type", "application/x-protobuf;proto"), 415);
  EXPECT_EQ(status("Content-Type", "application/json"), 415);
  EXPECT_EQ(status("Content-Encoding", "snappy"), 204);
  EXPECT_EQ(status("Content-Encoding", "gzip"), 415);
  EXPECT_EQ(status("X-Prometheus-Remote-Write-Version", "0.1.0"), 204);
  EXPECT_THAT(send(body, {{"Content-Encoding", "zstd"}}).body, HasSubstr("snappy"));
}

TEST_F(RemoteWriteTest, VersionTwoFindsTheSeriesOfVersionOne) {
  send(WriteBody().series(up_a_, {{now_, 1}}));
  const std::string body =
      WriteBody::compress(WriteBody2().series(up_a_, {{now_ + 1, 2}}, 2).bytes());
  const Response response =
      send(body, {{"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
                  {"Content-Encoding", "snappy"}});
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(written(response), "1");
  EXPECT_EQ(store_.by_ref, 1u);
  EXPECT_EQ(store_.metadata["up"].type, model::MetricType::kGauge);
  EXPECT_EQ(stored(), (Lines{R"(up{job="a"} 1@0 2@1)"}));
}

TEST_F(RemoteWriteTest, LimitsFollowTheOptions) {
  const TestLabels three = {{"__name__", "m"}, {"a", "1"}, {"b", "2"}};
  EXPECT_EQ(send(WriteBody().series(three, {{now_, 1}})).status, 204);
  receiver_.set_options({.max_body_bytes = 10, .labels = {.max_count = 2}});
  EXPECT_EQ(send(WriteBody().series(three, {{now_, 1}})).status, 413);
  receiver_.set_options({.labels = {.max_count = 2}});
  EXPECT_EQ(
      send(WriteBody().series({{"__name__", "n"}, {"a", "1"}, {"b", "2"}}, {{now_, 1}})).status,
      400);
}

TEST_F(RemoteWriteTest, ItsRouteIsForIngestAlone) {
  net::Router router;
  ASSERT_TRUE(receiver_.register_routes(router));
  const net::Route& route = *router.routes().front();
  EXPECT_EQ(route.role, Role::kIngest);
  EXPECT_EQ(route.group, net::RouteGroup::kIngest);
  EXPECT_TRUE(route.takes_coded_body);
  EXPECT_EQ(route.limits.max_body_bytes, 100'000u);
}

}  // namespace
}  // namespace binnacle::collect::receive
