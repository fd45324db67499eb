#include "collect/receive/write_request.h"

#include <gtest/gtest.h>

#include "collect/receive/test_bodies.h"

namespace binnacle::collect::receive {
namespace {

TEST(WriteRequestTest, ReadsSeriesAndSamplesAsFlatColumns) {
  WriteBody body;
  body.series({{"__name__", "a"}}, {{1000, 1.5}, {2000, -2}});
  body.series({{"__name__", "b"}, {"c", "d"}}, {{-3000, 3}});
  WriteRequest request;
  ASSERT_TRUE(request.decode(body.bytes()));
  ASSERT_EQ(request.series.size(), 2u);
  EXPECT_EQ(request.series[0].sample_count, 2u);
  EXPECT_EQ(request.series[1].first_sample, 2u);
  ASSERT_EQ(request.samples.size(), 3u);
  EXPECT_EQ(request.samples[1].timestamp_ms, 2000);
  EXPECT_EQ(request.samples[1].value, -2);
  EXPECT_EQ(request.samples[2].timestamp_ms, -3000);
}

TEST(WriteRequestTest, LabelBytesAreThoseOfTheBody) {
  WriteBody body;
  body.series({{"__name__", "a"}, {"b", "c"}}, {{1, 1}});
  WriteRequest request;
  ASSERT_TRUE(request.decode(body.bytes()));
  const std::string_view labels = request.series[0].label_bytes;
  EXPECT_GE(labels.data(), body.bytes().data());
  EXPECT_EQ(labels.front(), '\x0a');
  EXPECT_EQ(labels.substr(labels.size() - 6), std::string_view("\x0a\x01"
                                                               "b\x12\x01"
                                                               "c"));
}

// Field order is free in protobuf.
TEST(WriteRequestTest, GathersLabelsThatStandApart) {
  const auto one_order = [](bool apart) {
    std::string bytes;
    protozero::pbf_writer writer(bytes);
    WriteBody::add_label(writer, "__name__", "a");
    if (apart) WriteBody::add_sample(writer, {1, 1});
    WriteBody::add_label(writer, "b", "c");
    WriteBody::add_label(writer, "d", "e");
    if (apart) WriteBody::add_sample(writer, {2, 2});
    WriteBody::add_label(writer, "f", "g");
    return bytes;
  };
  WriteBody body;
  body.raw_series(one_order(true)).raw_series(one_order(false)).raw_series(one_order(true));
  WriteRequest request;
  ASSERT_TRUE(request.decode(body.bytes()));
  EXPECT_EQ(request.series[0].label_bytes, one_order(false));
  EXPECT_EQ(request.series[1].label_bytes, one_order(false));
  EXPECT_EQ(request.series[2].label_bytes, one_order(false));
  EXPECT_EQ(request.series[2].sample_count, 2u);
}

TEST(WriteRequestTest, ReadsMetadata) {
  WriteBody body;
  body.metadata(1, "requests_total", "How many.", "").metadata(77, "odd", "", "seconds");
  WriteRequest request;
  ASSERT_TRUE(request.decode(body.bytes()));
  ASSERT_EQ(request.metadata.size(), 2u);
  EXPECT_EQ(request.metadata[0].type, model::MetricType::kCounter);
  EXPECT_EQ(request.metadata[0].metric, "requests_total");
  EXPECT_EQ(request.metadata[0].help, "How many.");
  EXPECT_EQ(request.metadata[1].type, model::MetricType::kUnknown);
  EXPECT_EQ(request.metadata[1].unit, "seconds");
}

TEST(WriteRequestTest, CountsHistogramsAndExemplarsAndSkipsUnknownFields) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  WriteBody::add_label(writer, "__name__", "a");
  writer.add_message(3, std::string());
  writer.add_message(4, std::string());
  writer.add_message(4, std::string());
  writer.add_string(15, "of a newer sender");
  WriteBody body;
  body.raw_series(bytes);
  WriteRequest request;
  ASSERT_TRUE(request.decode(body.bytes()));
  EXPECT_EQ(request.series[0].exemplar_count, 1u);
  EXPECT_EQ(request.series[0].histogram_count, 2u);
}

TEST(WriteRequestTest, ForgetsTheBodyBefore) {
  WriteRequest request;
  ASSERT_TRUE(request.decode(WriteBody().series({{"a", "b"}}, {{1, 1}}).bytes()));
  ASSERT_TRUE(request.decode(""));
  EXPECT_TRUE(request.series.empty() && request.samples.empty() && request.metadata.empty());
}

TEST(WriteRequestTest, RefusesFieldsOfAWrongType) {
  WriteRequest request;
  EXPECT_FALSE(request.decode(std::string_view("\x08\x01", 2)));  // timeseries as a number
  std::string sample_as_number;
  protozero::pbf_writer(sample_as_number).add_uint32(2, 1);
  EXPECT_FALSE(request.decode(WriteBody().raw_series(sample_as_number).bytes()));
  EXPECT_FALSE(request.decode(std::string_view("\0\0", 2)));  // field number 0
}

constexpr int64_t kNowMs = 1'700'000'000'000;

std::string series_of(const TestLabels& labels, const std::vector<TestSample>& samples) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  for (const auto& [name, value] : labels) WriteBody::add_label(writer, name, value);
  for (const TestSample& sample : samples) WriteBody::add_sample(writer, sample);
  return bytes;
}

TEST(WriteRequestTest, GuessesThatASampleStandsBehindTheLabels) {
  const TestLabels labels = {{"__name__", "requests_total"}};
  std::string without_value = series_of(labels, {});
  protozero::pbf_writer(without_value).add_message(2, series_of({}, {{kNowMs, 0}}).substr(11));
  for (const std::string& bytes : {series_of(labels, {{kNowMs, 1.5}}), without_value}) {
    const std::string body = WriteBody().raw_series(bytes).bytes();
    WriteRequest request;
    ASSERT_TRUE(request.decode_by_guess(body));
    EXPECT_NE(request.series[0].guessed_behind, 0u);
    EXPECT_EQ(request.series[0].label_bytes, series_of(labels, {}));
    ASSERT_EQ(request.series[0].sample_count, 1u);
    EXPECT_EQ(request.samples[0].timestamp_ms, kNowMs);
    EXPECT_EQ(request.samples[0].value, bytes == without_value ? 0 : 1.5);
    ASSERT_TRUE(request.settle(0));
    EXPECT_EQ(request.series[0].guessed_behind, 0u);
    EXPECT_EQ(request.samples.size(), 1u);
  }
}

// Whatever ends like a sample comes out as it is when the guess is settled.
TEST(WriteRequestTest, SettlesWrongGuesses) {
  const std::string labels = series_of({{"__name__", "a"}, {"b", std::string(200, 'c')}}, {});
  const std::string sample = series_of({}, {{kNowMs, 7}});
  const std::string early = series_of({}, {{5, 7}});
  std::string exemplar;
  protozero::pbf_writer(exemplar).add_message(3, sample);
  const std::string label = series_of({{"z", sample}}, {});
  for (const std::string& bytes :
       {labels + sample, labels + early + sample, labels + sample + sample, labels + exemplar,
        labels + sample + label, labels + label, sample + labels + sample, label + sample}) {
    const std::string body = WriteBody().raw_series(labels + sample).raw_series(bytes).bytes();
    WriteRequest careful, guessed;
    ASSERT_TRUE(careful.decode(body));
    ASSERT_TRUE(guessed.decode_by_guess(body));
    ASSERT_TRUE(guessed.settle(0) && guessed.settle(1));
    const SeriesEntry &want = careful.series[1], &is = guessed.series[1];
    EXPECT_EQ(is.label_bytes, want.label_bytes);
    EXPECT_EQ(is.exemplar_count, want.exemplar_count);
    ASSERT_EQ(is.sample_count, want.sample_count);
    for (size_t i = 0; i < is.sample_count; ++i) {
      EXPECT_EQ(guessed.samples[is.first_sample + i].timestamp_ms,
                careful.samples[want.first_sample + i].timestamp_ms);
    }
  }
}

TEST(WriteRequestTest, RefusesWhatOnlyEndsLikeASeries) {
  std::string wrong = "\x0a\x7f";  // a label that is longer than what follows
  wrong += series_of({{"__name__", "a"}}, {{kNowMs, 7}});
  WriteRequest request;
  const std::string body = WriteBody().raw_series(wrong).bytes();
  EXPECT_FALSE(request.decode(body));
  ASSERT_TRUE(request.decode_by_guess(body));
  EXPECT_FALSE(request.settle(0));
}

constexpr size_t kManyBytes = 1 << 20;

// One cache serves both versions.
TEST(WriteRequestV2Test, WritesLabelsOutAsVersionOneHasThem) {
  const TestLabels a = {{"__name__", "up"}, {"job", "a"}};
  const TestLabels b = {{"__name__", "up"}, {"job", std::string(300, 'b')}};
  WriteRequest first, second;
  const WriteBody body1 = WriteBody().series(a, {{1000, 1}}).series(b, {{1, 2}, {2, 3}});
  const std::string body2 = WriteBody2().series(a, {{1000, 1}}).series(b, {{1, 2}, {2, 3}}).bytes();
  ASSERT_TRUE(first.decode(body1.bytes()));
  ASSERT_TRUE(second.decode_v2(body2, kManyBytes));
  ASSERT_EQ(second.series.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(second.series[i].label_bytes, first.series[i].label_bytes);
    EXPECT_EQ(second.series[i].first_sample, first.series[i].first_sample);
    EXPECT_EQ(second.series[i].sample_count, first.series[i].sample_count);
  }
  EXPECT_EQ(second.samples[2].value, 3);
}

TEST(WriteRequestV2Test, ReadsTheMetadataOfAMetricOnce) {
  WriteBody2 body;
  body.series({{"__name__", "up"}, {"i", "1"}}, {{1, 1}}, 2);
  body.series({{"__name__", "up"}, {"i", "2"}}, {{1, 1}}, 2);
  WriteRequest request;
  const std::string bytes = body.bytes();
  ASSERT_TRUE(request.decode_v2(bytes, kManyBytes));
  ASSERT_EQ(request.metadata.size(), 1u);
  EXPECT_EQ(request.metadata[0].metric, "up");
  EXPECT_EQ(request.metadata[0].help, "Help.");
  EXPECT_EQ(request.metadata[0].type, model::MetricType::kGauge);
}

TEST(WriteRequestV2Test, RefusesReferencesThatLeadNowhere) {
  WriteRequest request;
  EXPECT_FALSE(request.decode_v2(WriteBody2().series_of_refs({0, 7}, {}).bytes(), kManyBytes));
  EXPECT_FALSE(request.decode_v2(WriteBody2().series_of_refs({0}, {}).bytes(), kManyBytes));
}

TEST(WriteRequestV2Test, BoundsWhatAShortBodySwellsTo) {
  WriteBody2 body;
  const uint32_t big = body.symbol(std::string(1000, 'x'));
  body.series_of_refs(std::vector<uint32_t>(1000, big), {});
  WriteRequest request;
  const auto refused = request.decode_v2(body.bytes(), 100'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
}

}  // namespace
}  // namespace binnacle::collect::receive
