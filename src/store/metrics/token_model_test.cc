#include "store/metrics/token_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/crc32c.h"

namespace binnacle::store::metrics {
namespace {

std::vector<uint16_t> frequencies(int shape, unsigned table_bits, size_t tokens) {
  std::vector<uint16_t> all(tokens);
  token_frequencies(static_cast<uint8_t>(shape), table_bits, all);
  return all;
}

// Columns on disk depend on each of them, so that they are held as they are, on every machine.
TEST(TokenModelTest, FrequenciesFillTheTableAndNeverChange) {
  uint32_t crc = 0;
  for (const unsigned table_bits : {7u, 8u, 10u}) {
    for (size_t tokens = 2; tokens <= kMaxTokens; ++tokens) {
      for (int shape = 0; shape < 256; ++shape) {
        const std::vector<uint16_t> all = frequencies(shape, table_bits, tokens);
        ASSERT_EQ(std::accumulate(all.begin(), all.end(), 0u), 1u << table_bits);
        ASSERT_GE(*std::min_element(all.begin(), all.end()), 1);
        const auto* bytes = reinterpret_cast<const char*>(all.data());
        crc = crc32c({bytes, all.size() * sizeof(uint16_t)}, crc);
      }
    }
  }
  EXPECT_EQ(crc, 2437875584u);
}

TEST(TokenModelTest, ShapesAreWhatTheirNamesSay) {
  EXPECT_EQ(frequencies(0, 7, 4), (std::vector<uint16_t>{32, 32, 32, 32}));
  const std::vector<uint16_t> falling = frequencies(0x80 | 9 << 3, 10, 12);
  EXPECT_TRUE(std::is_sorted(falling.rbegin(), falling.rend()));
  const std::vector<uint16_t> bell = frequencies(5, 10, 33);
  EXPECT_EQ(std::max_element(bell.begin(), bell.end()) - bell.begin(), 16);
}

TEST(TokenModelTest, FitsComeCloseToTheEntropy) {
  // Binomial, entropy 2.54 bits; geometric, 1.99; even, 3.
  const std::vector<uint32_t> binomial = {1, 8, 28, 56, 70, 56, 28, 8, 1};
  const std::vector<uint32_t> geometric = {512, 256, 128, 64, 32, 16, 8, 4, 2, 1};
  const std::vector<uint32_t> even(8, 100);
  EXPECT_LT(fit_token_shape(binomial, 10).bits, 256 * 2.60);
  EXPECT_LT(fit_token_shape(geometric, 10).bits, 1023 * 2.05);
  EXPECT_LT(fit_token_shape(even, 10).bits, 800 * 3.01);
}

}  // namespace
}  // namespace binnacle::store::metrics
