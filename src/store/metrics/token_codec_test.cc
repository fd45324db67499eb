#include "store/metrics/token_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "store/metrics/bit_packing.h"
#include "store/metrics/testing/columns.h"
#include "store/metrics/token_model.h"

namespace binnacle::store::metrics {
namespace {

std::vector<uint16_t> frequencies(uint8_t shape, size_t tokens, size_t count) {
  std::vector<uint16_t> all(tokens);
  token_frequencies(shape, token_table_bits(count), all);
  return all;
}

std::vector<uint8_t> rolled(size_t tokens, size_t count) {
  testing::ColumnRandom random(tokens * count);
  std::vector<uint8_t> all;
  for (size_t i = 0; i < count; ++i)
    all.push_back(static_cast<uint8_t>(std::min(random.below(tokens), random.below(tokens))));
  return all;
}

TEST(TokenCodecTest, TokensComeBackFromBytesThatKeepTheirMeaning) {
  uint32_t crc = 0;
  for (const size_t count : {2, 3, 8, 100, 191, 192, 300, 511, 512, 513, 700}) {
    for (const size_t tokens : {2, 5, 32, 64}) {
      const std::vector<uint8_t> all = rolled(tokens, count);
      const auto table = frequencies(0xA2, tokens, count);
      const unsigned table_bits = token_table_bits(count);
      std::string bytes;
      encode_tokens(all, table, table_bits, bytes);
      const TokenShape shape{0xA2, static_cast<uint8_t>(tokens), static_cast<uint8_t>(table_bits)};
      std::vector<uint64_t> back(count);
      ASSERT_TRUE(decode_tokens(bytes, shape, {3}, back));
      for (size_t i = 0; i < count; ++i) ASSERT_EQ(back[i], uint64_t{all[i]} << 3);
      EXPECT_FALSE(decode_tokens(bytes + '\0', shape, {3}, back));
      EXPECT_FALSE(decode_tokens(std::string(bytes, 0, bytes.size() - 1), shape, {3}, back));
      crc = crc32c(bytes, crc);
    }
  }
  // A column on disk needs this coding as it is; with another one comes another id.
  EXPECT_EQ(crc, 1025256551u);
}

// Sums of residuals as the format says, one step after the other.
std::vector<uint64_t> summed(std::vector<uint64_t> residuals, const Summing& summing) {
  uint64_t sum = summing.sum;
  uint64_t delta = summing.delta;
  for (uint64_t& v : residuals) {
    v += summing.low;
    if (summing.order == 2) v = delta += v;
    if (summing.order > 0) v = sum += v;
  }
  return residuals;
}

TEST(TokenCodecTest, TokensAreSummedUpWithTheirLowBits) {
  testing::ColumnRandom random(7);
  for (const size_t count : {9, 300, 701}) {
    const std::vector<uint8_t> tokens = rolled(32, count);
    const unsigned table_bits = token_table_bits(count);
    std::string bytes;
    encode_tokens(tokens, frequencies(0xA2, 32, count), table_bits, bytes);
    for (const unsigned shift : {1u, 13u, 14u, 15u, 40u, kMaxFusedShift}) {
      std::vector<uint64_t> low(count);
      for (uint64_t& v : low) v = random.below(uint64_t{1} << shift);
      std::string packed;
      pack_bits(low, shift, packed);
      std::vector<uint64_t> residuals(count);
      for (size_t i = 0; i < count; ++i) residuals[i] = uint64_t{tokens[i]} << shift | low[i];
      for (const unsigned order : {0u, 1u, 2u}) {
        const Summing summing{order, ~uint64_t{4}, 1000, 17};
        std::vector<uint64_t> back(count);
        ASSERT_TRUE(decode_tokens(bytes, {0xA2, 32, static_cast<uint8_t>(table_bits)},
                                  {shift, packed, summing}, back));
        ASSERT_EQ(back, summed(residuals, summing)) << count << " " << shift << " " << order;
      }
    }
  }
}

TEST(TokenCodecTest, AColumnShorterThanItsStatesIsRefused) {
  std::vector<uint64_t> one(1);
  EXPECT_FALSE(decode_tokens("abcdef", {0, 4, kMaxTableBits}, {}, one));
}

}  // namespace
}  // namespace binnacle::store::metrics
