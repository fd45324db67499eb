#include "store/metrics/integer_codec.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "store/metrics/testing/columns.h"

namespace binnacle::store::metrics {
namespace {

std::string encoded(std::vector<uint64_t> integers, Effort effort) {
  std::string bytes;
  encode_integers(integers, effort, bytes);
  return bytes;
}

void expect_round_trip(const std::vector<uint64_t>& integers) {
  for (const Effort effort : {Effort::kQuick, Effort::kSmall}) {
    std::vector<uint64_t> back(integers.size());
    ASSERT_TRUE(decode_integers(encoded(integers, effort), back));
    ASSERT_EQ(back, integers);
  }
}

TEST(IntegerCodecTest, ExtremesWrapAndComeBack) {
  constexpr auto kLow = static_cast<uint64_t>(std::numeric_limits<int64_t>::min());
  constexpr auto kHigh = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  expect_round_trip({kLow});
  expect_round_trip({kLow, kHigh});
  expect_round_trip({kHigh, kLow, kHigh, kLow});
  std::vector<uint64_t> swings;
  for (uint64_t i = 0; i < 600; ++i) swings.push_back(i % 3 == 0 ? kLow + i : kHigh - i);
  expect_round_trip(swings);
}

TEST(IntegerCodecTest, EveryWidthOfResidualsComesBack) {
  testing::ColumnRandom random(1);
  for (unsigned width = 1; width <= 64; ++width) {
    for (const size_t count : {8, 24, 100, 191, 192, 512, 520}) {
      std::vector<uint64_t> walk = {random.next()};
      std::vector<uint64_t> noise = {random.next() >> (64 - width)};
      for (size_t i = 1; i < count; ++i) {
        walk.push_back(walk.back() + (random.next() >> (64 - width)));
        noise.push_back(random.next() >> (64 - width));
      }
      expect_round_trip(walk);
      expect_round_trip(noise);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(IntegerCodecTest, ConstantsAndConstantStepsTakeAFewBytes) {
  EXPECT_EQ(encoded(std::vector<uint64_t>(1000, 5), Effort::kQuick).size(), 2u);
  std::vector<uint64_t> steps;
  for (uint64_t i = 0; i < 1000; ++i) steps.push_back(7 * i);
  EXPECT_EQ(encoded(steps, Effort::kQuick).size(), 3u);
}

// Most entries 0, some 1 to 3: an entropy of about 0.6 bits, where packing takes 2.
TEST(IntegerCodecTest, RareEventsTakeLessThanABit) {
  testing::ColumnRandom random(2);
  std::vector<uint64_t> integers;
  for (int i = 0; i < 2000; ++i) {
    const uint64_t roll = random.below(100);
    integers.push_back(roll < 91 ? 0 : roll < 98 ? 1 : roll < 99 ? 2 : 3);
  }
  EXPECT_LT(encoded(integers, Effort::kSmall).size(), 2000 * 0.62 / 8);
  expect_round_trip(integers);
}

TEST(IntegerCodecTest, SpareHeadsAreRefused) {
  std::vector<uint64_t> out(4);
  for (const int head : {0xF0, 0xF1, 0xFF}) {
    std::string bytes(20, '\0');
    bytes[0] = static_cast<char>(head);
    EXPECT_FALSE(decode_integers(bytes, out)) << head;
  }
  // An outlier list before another one.
  EXPECT_FALSE(decode_integers(std::string("\xF0\x01\x00\x02\xF0\x01\x00\x02\x00\x00", 10), out));
}

// The bytes of docs/formats/chunk.md: what they mean must never change.
TEST(IntegerCodecTest, BytesKeepTheirMeaning) {
  std::vector<uint64_t> out(4);
  // Order 1, width 2; the first 100; low -1; residuals 0 1 2 3.
  ASSERT_TRUE(decode_integers(std::string("\x42\xC8\x01\x01\x24", 5), out));
  EXPECT_EQ(out, (std::vector<uint64_t>{100, 99, 99, 100}));
  // The same with 1000 added to the second entry's difference.
  ASSERT_TRUE(decode_integers(std::string("\xF0\x01\x01\xD0\x0F\x42\xC8\x01\x01\x24", 10), out));
  EXPECT_EQ(out, (std::vector<uint64_t>{100, 1099, 1099, 1100}));
}

}  // namespace
}  // namespace binnacle::store::metrics
