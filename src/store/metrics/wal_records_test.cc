#include "store/metrics/wal_records.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "model/labels.h"

namespace binnacle::store::metrics {
namespace {

std::string encoded(std::span<const WalSample> samples) {
  std::string out;
  encode_samples(samples, out);
  return out;
}

void expect_round_trip(const std::vector<WalSample>& samples) {
  std::vector<WalSample> decoded(3, WalSample{7, 7, 7});
  ASSERT_TRUE(decode_samples(encoded(samples), decoded));
  ASSERT_EQ(decoded.size(), samples.size());
  for (size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(decoded[i].series, samples[i].series) << i;
    EXPECT_EQ(decoded[i].timestamp_ms, samples[i].timestamp_ms) << i;
    EXPECT_EQ(std::bit_cast<uint64_t>(decoded[i].value), std::bit_cast<uint64_t>(samples[i].value))
        << i;
  }
}

std::vector<WalSample> scrape(size_t count) {
  std::vector<WalSample> samples;
  for (size_t i = 0; i < count; ++i) {
    samples.push_back({1'000'000 + i, 1'700'000'000'000, static_cast<double>(i) / 3});
  }
  return samples;
}

// Every beginning of a record, and the record with a byte behind, are refused.
template <typename Decode>
void expect_exact_length(const std::string& payload, Decode decode) {
  ASSERT_TRUE(decode(payload));
  for (size_t size = 0; size < payload.size(); ++size) {
    const Status status = decode(payload.substr(0, size));
    ASSERT_FALSE(status) << size;
    EXPECT_EQ(status.error().code, Code::kDataLoss) << size;
  }
  const Status status = decode(payload + '\0');
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kDataLoss);
}

TEST(WalSamples, RoundTrip) {
  expect_round_trip({});
  expect_round_trip({{0, 0, 0}});
  expect_round_trip(scrape(1));
  expect_round_trip(scrape(7));
  expect_round_trip(scrape(9));
  expect_round_trip(scrape(1500));
}

TEST(WalSamples, KeepExtremes) {
  constexpr auto kMin = std::numeric_limits<int64_t>::min();
  constexpr auto kMax = std::numeric_limits<int64_t>::max();
  constexpr auto kMaxId = std::numeric_limits<uint64_t>::max();
  expect_round_trip({{kMaxId, kMin, -0.0},
                     {0, kMax, std::numeric_limits<double>::infinity()},
                     {uint64_t{1} << 63, kMin, std::nan("7")},
                     {1, 0, model::stale_nan()},
                     {kMaxId, -1, std::numeric_limits<double>::denorm_min()}});
  expect_round_trip({{5, kMin, 1}, {5, kMin, 2}});
}

TEST(WalSamples, AnyOrderOfIdsAndTimes) {
  SeededRandom random(11);
  for (int round = 0; round < 50; ++round) {
    std::vector<WalSample> samples;
    const size_t count = random.below(1200);
    for (size_t i = 0; i < count; ++i) {
      const unsigned shift = static_cast<unsigned>(random.below(64));
      samples.push_back({random.below(~uint64_t{0}) >> shift,
                         static_cast<int64_t>(random.below(~uint64_t{0}) >> shift),
                         static_cast<double>(random.below(1000))});
    }
    expect_round_trip(samples);
  }
}

TEST(WalSamples, ScrapeTakesNineBytesASample) {
  EXPECT_LE(encoded(scrape(1000)).size(), 9 * 1000 + 20);
}

TEST(WalSamples, TimesThatDifferLittleAreSmall) {
  auto samples = scrape(1000);
  for (size_t i = 0; i < samples.size(); ++i)
    samples[i].timestamp_ms += static_cast<int64_t>(i % 9);
  EXPECT_LE(encoded(samples).size(), 10 * 1000 + 20);
}

TEST(WalSamples, ExactLength) {
  std::vector<WalSample> out;
  const auto decode = [&](const std::string& payload) { return decode_samples(payload, out); };
  expect_exact_length(encoded({}), decode);
  expect_exact_length(encoded(scrape(20)), decode);
  auto samples = scrape(20);
  samples[3].timestamp_ms = -5;
  expect_exact_length(encoded(samples), decode);
}

TEST(WalSamples, OtherKindsAreRefusedByName) {
  std::vector<WalSample> out;
  std::string payload = encoded(scrape(2));
  payload[0] = static_cast<char>(model::ValueKind::kFloatHistogram);
  auto status = decode_samples(payload, out);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kUnimplemented);
  EXPECT_EQ(status.error().message,
            "samples record of the write-ahead log: unknown kind of value (2)");

  payload = encoded(scrape(2));
  payload[1] = 3;
  status = decode_samples(payload, out);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kUnimplemented);
  EXPECT_EQ(status.error().message,
            "samples record of the write-ahead log: start timestamps (flags 0x3)");
}

TEST(WalSamples, HugeCountIsRefusedWithoutMemory) {
  std::vector<WalSample> out;
  const std::string payload("\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 11);
  const auto status = decode_samples(payload, out);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kDataLoss);
  EXPECT_EQ(out.capacity(), 0u);
}

TEST(WalSeriesRecord, RoundTrip) {
  const model::Labels up{{"__name__", "up"}, {"job", "a"}};
  const model::Labels down{{"__name__", "down"}, {"instance", std::string(300, 'x')}};
  const std::vector<WalSeries> series = {
      {7, up.packed()}, {8, down.packed()}, {~uint64_t{0}, ""}, {1, up.packed()}};
  std::string payload;
  encode_series(series, payload);
  std::vector<WalSeries> out;
  ASSERT_TRUE(decode_series(payload, out));
  ASSERT_EQ(out.size(), 4u);
  for (size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(out[i].series, series[i].series);
    EXPECT_EQ(out[i].labels, series[i].labels);
  }
  expect_exact_length(payload, [&](const std::string& bytes) { return decode_series(bytes, out); });
}

TEST(WalSeriesRecord, LabelsMustBePacked) {
  for (const std::string_view labels : {"\1a", "\1a\1b\1a\1c", "\1b\1b\1a\1c", "\1a\5b", "x"}) {
    std::string payload;
    encode_series(std::vector<WalSeries>{{1, labels}}, payload);
    std::vector<WalSeries> out;
    const auto status = decode_series(payload, out);
    ASSERT_FALSE(status) << labels;
    EXPECT_EQ(status.error().code, Code::kDataLoss);
  }
}

TEST(WalMetadataRecord, RoundTrip) {
  const std::vector<WalMetadata> metadata = {
      {"up", model::MetricType::kGauge, "Whether it is up.", ""},
      {"x_total", model::MetricType::kCounter, "", "bytes"},
      {"s", model::MetricType::kStateset, "", ""}};
  std::string payload;
  encode_metadata(metadata, payload);
  std::vector<WalMetadata> out;
  ASSERT_TRUE(decode_metadata(payload, out));
  ASSERT_EQ(out.size(), 3u);
  for (size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(out[i].metric, metadata[i].metric);
    EXPECT_EQ(out[i].type, metadata[i].type);
    EXPECT_EQ(out[i].help, metadata[i].help);
    EXPECT_EQ(out[i].unit, metadata[i].unit);
  }
  expect_exact_length(payload,
                      [&](const std::string& bytes) { return decode_metadata(bytes, out); });
  payload[4] = 99;  // the type of "up"
  EXPECT_FALSE(decode_metadata(payload, out));
}

TEST(WalTombstonesRecord, RoundTrip) {
  const std::vector<WalTombstone> tombstones = {
      {3, -5, 5}, {4, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}};
  std::string payload;
  encode_tombstones(tombstones, payload);
  std::vector<WalTombstone> out;
  ASSERT_TRUE(decode_tombstones(payload, out));
  ASSERT_EQ(out.size(), 2u);
  for (size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(out[i].series, tombstones[i].series);
    EXPECT_EQ(out[i].min_ms, tombstones[i].min_ms);
    EXPECT_EQ(out[i].max_ms, tombstones[i].max_ms);
  }
  expect_exact_length(payload,
                      [&](const std::string& bytes) { return decode_tombstones(bytes, out); });
  payload.clear();
  encode_tombstones(std::vector<WalTombstone>{{3, 6, 5}}, payload);
  EXPECT_FALSE(decode_tombstones(payload, out));
}

}  // namespace
}  // namespace binnacle::store::metrics
