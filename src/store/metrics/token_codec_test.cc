#include "store/metrics/token_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/crc32c.h"
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

TEST(TokenCodecTest, AColumnShorterThanItsStatesIsRefused) {
  std::vector<uint64_t> one(1);
  EXPECT_FALSE(decode_tokens("abcdef", {0, 4, kMaxTableBits}, {}, one));
}

}  // namespace
}  // namespace binnacle::store::metrics
