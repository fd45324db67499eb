#include "store/metrics/column_codec.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "store/metrics/testing/columns.h"

namespace binnacle::store::metrics {
namespace {

constexpr Effort kEfforts[] = {Effort::kQuick, Effort::kSmall};

using testing::ColumnRandom;

std::string encoded(std::span<const double> values, Effort effort) {
  std::string out = "before";
  encode_values(values, effort, out);
  EXPECT_TRUE(out.starts_with("before"));
  return out.substr(6);
}

std::vector<uint64_t> bits(std::span<const double> values) {
  std::vector<uint64_t> all;
  for (const double v : values) all.push_back(std::bit_cast<uint64_t>(v));
  return all;
}

void expect_round_trip(std::span<const double> values, const std::string& what) {
  for (const Effort effort : kEfforts) {
    const std::string bytes = encoded(values, effort);
    EXPECT_LE(bytes.size(), 9 + values.size_bytes()) << what;
    std::vector<double> back(values.size());
    ASSERT_TRUE(decode_values(bytes, back)) << what;
    ASSERT_EQ(bits(back), bits(values)) << what;
  }
}

void expect_times_round_trip(std::span<const int64_t> times) {
  for (const Effort effort : kEfforts) {
    std::string bytes;
    encode_times(times, effort, bytes);
    std::vector<int64_t> back(times.size());
    ASSERT_TRUE(decode_times(bytes, back));
    ASSERT_EQ(back, std::vector<int64_t>(times.begin(), times.end()));
  }
}

TEST(ColumnCodecTest, EveryShapeComesBackToTheBit) {
  ColumnRandom random(1);
  for (const size_t size : {1, 2, 3, 4, 7, 31, 32, 33, 64, 100, 119, 255, 256, 257, 1000, 2000}) {
    for (int shape = 0; shape < testing::kShapes; ++shape) {
      for (int n = 0; n < (size <= 100 ? 20 : 3); ++n) {
        expect_round_trip(testing::column(shape, size, random),
                          "shape " + std::to_string(shape) + ", size " + std::to_string(size));
        if (HasFatalFailure()) return;
      }
    }
  }
}

void expect_round_trip_against(std::span<const double> values, std::span<const double> reference) {
  std::string bytes = "before";
  constexpr size_t kAnySize = 1 << 20;
  if (!encode_values_against(values, reference, kAnySize, bytes)) {
    ASSERT_EQ(bytes, "before");
    return;
  }
  bytes.erase(0, 6);
  std::vector<double> back(values.size());
  ASSERT_TRUE(decode_values_against(bytes, reference, back));
  ASSERT_EQ(bits(back), bits(values));
  std::string again = "before";
  EXPECT_FALSE(encode_values_against(values, reference, bytes.size(), again));
  EXPECT_EQ(again, "before");
  EXPECT_TRUE(encode_values_against(values, reference, bytes.size() + 1, again));
}

TEST(ColumnCodecTest, IntegersOfAReferenceStandForItsValues) {
  for (const double step : {1.0, 0.25, 0x1p47}) {  // the last leaves the range that leads back
    std::vector<double> lower;
    std::vector<double> values;
    for (size_t i = 0; i < 200; ++i) {
      lower.push_back(static_cast<double>(i * i % 97) * step);
      values.push_back(lower.back() + step * static_cast<double>(i % 3));
    }
    std::string alone;
    std::string beside;
    encode_values(lower, Effort::kSmall, alone);
    ASSERT_TRUE(encode_values_against(values, lower, 100'000, beside));
    std::vector<double> back(200);
    ColumnIntegers kept;
    ASSERT_TRUE(decode_values(alone, back, &kept));
    EXPECT_EQ(kept.exponent >= 0, step < 0x1p47);
    EXPECT_EQ(back, lower);
    ASSERT_TRUE(decode_values_against(beside, lower, back, &kept));
    EXPECT_EQ(back, values);
    kept.exponent = -1;
    ASSERT_TRUE(decode_values_against(beside, lower, back, &kept));
    EXPECT_EQ(back, values);
  }
}

TEST(ColumnCodecTest, AnyColumnComesBackBesideAnyOther) {
  ColumnRandom random(5);
  for (const size_t size : {1, 2, 3, 32, 100, 300, 1000}) {
    for (int shape = 0; shape < testing::kShapes; ++shape) {
      for (int other = 0; other < testing::kShapes; ++other) {
        expect_round_trip_against(testing::column(shape, size, random),
                                  testing::column(other, size, random));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(ColumnCodecTest, ABucketIsSmallBesideItsNeighbour) {
  ColumnRandom random(6);
  std::vector<double> lower = {1e6};
  std::vector<double> upper = {3e6};
  for (int i = 1; i < 200; ++i) {
    const auto both = static_cast<double>(random.below(1000));
    lower.push_back(lower.back() + both);
    upper.push_back(upper.back() + both + static_cast<double>(random.below(3)));
  }
  const std::string alone = encoded(upper, Effort::kSmall);
  std::string beside;
  ASSERT_TRUE(encode_values_against(upper, lower, alone.size(), beside));
  EXPECT_LT(beside.size(), alone.size() / 4);
  std::vector<double> back(upper.size());
  EXPECT_FALSE(decode_values_against(beside, std::span(lower).first(199), back));
}

TEST(ColumnCodecTest, SpecialValuesComeBackToTheBit) {
  const double stale = std::bit_cast<double>(0x7ff0000000000002u);
  const double inf = std::numeric_limits<double>::infinity();
  const double denormal = std::numeric_limits<double>::denorm_min();
  const double largest = std::numeric_limits<double>::max();
  const std::vector<std::vector<double>> columns = {
      {stale},
      {stale, stale, stale},
      {stale, 1, 2, 3, 4, 5},
      {1, 2, 3, 4, 5, stale},
      {-0.0},
      {-0.0, 0.0, -0.0, 0.0, 0.0, 0.0},
      {inf, -inf, inf, 0, 1},
      {denormal, 2 * denormal, -denormal, 0},
      {largest, -largest, largest, -largest},
      {0x1p63, -0x1p63, 0x1p62, 0x1p53, 0x1p53 + 2, 1},
      {std::bit_cast<double>(0xffffffffffffffffu), std::bit_cast<double>(0x7ff8000000000001u), 3},
      {9007199254740993.0, 9007199254740995.0, 9007199254740999.0, 1, 2, 3},
      {0.1, 0.2, 0.30000000000000004, 0.4, 0.5, 0.6, 0.7, 0.8},
      {1e300, 1e-300, 1e15, 1e16, 1e22, 1e23},
      {2251799813685248.5, 2251799813685247.9, 0.1},
  };
  for (size_t i = 0; i < columns.size(); ++i)
    expect_round_trip(columns[i], "column " + std::to_string(i));
}

TEST(ColumnCodecTest, ColumnsOfTheHeadHaveTinyHeaders) {
  EXPECT_LE(encoded(std::vector<double>(32, 0), Effort::kQuick).size(), 2u);
  EXPECT_LE(encoded(std::vector<double>(32, 81559), Effort::kQuick).size(), 4u);
  std::vector<int64_t> times;
  for (int64_t i = 0; i < 32; ++i) times.push_back(1'700'000'000'000 + 15'000 * i);
  std::string bytes;
  encode_times(times, Effort::kQuick, bytes);
  EXPECT_LE(bytes.size(), 10u);
}

TEST(ColumnCodecTest, OneStaleMarkerDoesNotRuinAColumnOfIntegers) {
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) values.push_back(1000 + i % 7);
  const size_t clean = encoded(values, Effort::kSmall).size();
  values[50] = std::bit_cast<double>(0x7ff0000000000002u);
  values[99] = values[50];
  EXPECT_LE(encoded(values, Effort::kSmall).size(), clean + 12);
}

TEST(ColumnCodecTest, AResetDoesNotRuinACounter) {
  ColumnRandom random(7);
  std::vector<double> steady = {5e9};
  for (int i = 1; i < 1000; ++i)
    steady.push_back(steady.back() + 40 + static_cast<double>(random.below(16)));
  const size_t clean = encoded(steady, Effort::kSmall).size();
  EXPECT_LT(clean, 1000 * 4 / 8 + 32);
  std::vector<double> reset = steady;
  for (size_t i = 700; i < reset.size(); ++i) reset[i] -= steady[700];
  EXPECT_LE(encoded(reset, Effort::kSmall).size(), clean + 16);
  expect_round_trip(reset, "reset");
}

TEST(ColumnCodecTest, TimesComeBack) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  expect_times_round_trip(std::vector<int64_t>{0});
  expect_times_round_trip(std::vector<int64_t>{kMin});
  expect_times_round_trip(std::vector<int64_t>{kMin, kMax});
  expect_times_round_trip(std::vector<int64_t>{kMin, kMin + 1, -1, 0, 1, kMax - 1, kMax});
  expect_times_round_trip(std::vector<int64_t>{kMin, 0, kMax});
  ColumnRandom random(2);
  for (const size_t size : {1, 2, 3, 32, 100, 1000, 2000}) {
    for (const uint64_t jitter : {uint64_t{1}, uint64_t{20}, uint64_t{15'000}, uint64_t{1} << 50}) {
      std::vector<int64_t> times = {1'700'000'000'000};
      while (times.size() < size)
        times.push_back(times.back() + 1 + static_cast<int64_t>(random.below(jitter)));
      expect_times_round_trip(times);
    }
  }
}

TEST(ColumnCodecTest, TimesThatDoNotAscendAreRefused) {
  std::string bytes;
  encode_times(std::vector<int64_t>{5, 5, 6}, Effort::kQuick, bytes);
  std::vector<int64_t> back(3);
  const Status read = decode_times(bytes, back);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kDataLoss);
}

TEST(ColumnCodecTest, UnknownCodecsAreRefused) {
  std::vector<double> back(3);
  for (const int id : {0x04, 0x0F, 0x40, 0x7F, 0x80, 0xFF}) {
    const Status read = decode_values(std::string(1, static_cast<char>(id)) + "abcdefgh", back);
    ASSERT_FALSE(read) << id;
    EXPECT_EQ(read.error().code, Code::kDataLoss);
  }
}

TEST(ColumnCodecTest, CutBytesAreRefused) {
  ColumnRandom random(3);
  for (int shape = 0; shape < testing::kShapes; ++shape) {
    const std::vector<double> values = testing::column(shape, 40, random);
    const std::string bytes = encoded(values, Effort::kSmall);
    std::vector<double> back(values.size());
    for (size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(decode_values(std::string(bytes, 0, size), back)) << shape << " " << size;
    EXPECT_FALSE(decode_values(bytes + '\0', back));
  }
}

// Wrong values are for the checksum around the column to find; here only nothing may break.
TEST(ColumnCodecTest, FlippedBitsBreakNothing) {
  ColumnRandom random(4);
  for (int round = 0; round < 2000; ++round) {
    const auto shape = static_cast<int>(random.below(testing::kShapes));
    const std::vector<double> values = testing::column(shape, 1 + random.below(120), random);
    std::string bytes = encoded(values, kEfforts[round & 1]);
    for (uint64_t flips = 1 + random.below(3); flips > 0; --flips)
      bytes[random.below(bytes.size())] ^= static_cast<char>(1u << random.below(8));
    std::vector<double> back(values.size() + random.below(2));
    const Status values_read = decode_values(bytes, back);
    if (!values_read) EXPECT_EQ(values_read.error().code, Code::kDataLoss);
    std::vector<int64_t> times(back.size());
    const Status beside = decode_values_against(bytes, std::vector<double>(back.size(), 1), back);
    if (!beside) EXPECT_EQ(beside.error().code, Code::kDataLoss);
    const Status times_read = decode_times(bytes, times);
    if (!times_read) EXPECT_EQ(times_read.error().code, Code::kDataLoss);
  }
}

}  // namespace
}  // namespace binnacle::store::metrics
