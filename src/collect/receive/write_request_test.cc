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

}  // namespace
}  // namespace binnacle::collect::receive
