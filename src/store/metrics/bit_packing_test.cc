#include "store/metrics/bit_packing.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "store/metrics/testing/columns.h"

namespace binnacle::store::metrics {
namespace {

TEST(BitPackingTest, EveryWidthAndCountComesBack) {
  testing::ColumnRandom random(1);
  for (unsigned width = 0; width <= 64; ++width) {
    for (const size_t count : {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 64, 100, 257}) {
      std::vector<uint64_t> values;
      for (size_t i = 0; i < count; ++i)
        values.push_back(width == 0 ? 0 : random.next() >> (64 - width));
      std::string bytes = "x";
      pack_bits(values, width, bytes);
      ASSERT_EQ(bytes.size(), 1 + packed_bytes(count, width));
      // A copy of its own, so that a read beyond the end is seen by the sanitizer.
      const std::vector<char> packed(bytes.begin() + 1, bytes.end());
      std::vector<uint64_t> back(count, 77);
      ASSERT_TRUE(unpack_bits({packed.data(), packed.size()}, width, back));
      ASSERT_EQ(back, values) << width << " " << count;
    }
  }
}

TEST(BitPackingTest, TheFirstValueLiesInTheLowestBits) {
  std::string bytes;
  pack_bits(std::vector<uint64_t>{1, 2, 3, 4}, 3, bytes);
  EXPECT_EQ(bytes, std::string("\xd1\x08", 2));
}

TEST(BitPackingTest, OtherSizesAndWidthsAreRefused) {
  std::vector<uint64_t> out(3);
  EXPECT_FALSE(unpack_bits("ab", 3, out) && unpack_bits("abc", 3, out));
  EXPECT_FALSE(unpack_bits("a", 3, out));
  EXPECT_FALSE(unpack_bits(std::string(25, 'a'), 65, out));
  EXPECT_FALSE(unpack_bits("a", 0, out));
}

}  // namespace
}  // namespace binnacle::store::metrics
