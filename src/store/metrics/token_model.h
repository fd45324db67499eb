// How often each token of a small alphabet is expected, from one byte: the logarithm of the
// frequency is a parabola over the tokens, which covers even, geometric, normal and, near enough,
// Poisson distributions. Integer arithmetic throughout, as both sides must find the same. Pure
// functions; any thread. Format: docs/formats/chunk.md, "Token columns".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace binnacle::store::metrics {

inline constexpr size_t kMaxTokens = 64;
inline constexpr unsigned kMaxTableBits = 10;

// The frequencies add up to 2^bits; short columns do with a table that is quick to build.
inline unsigned token_table_bits(size_t count) {
  return count < 192 ? 7 : count < 512 ? 8 : kMaxTableBits;
}

// Writes a frequency of at least 1 for each of 2 to kMaxTokens tokens; their sum is 2^table_bits.
void token_frequencies(uint8_t shape, unsigned table_bits, std::span<uint16_t> frequencies);

struct FittedShape {
  uint8_t shape = 0;
  double bits = 0;  // what all tokens take together
};

// What tokens that occurred `counts` times each take together at that shape, in bits.
double token_bits(uint8_t shape, std::span<const uint32_t> counts, unsigned table_bits);

// The shape found to suit tokens that occurred `counts` times each: a descent, not always the best.
FittedShape fit_token_shape(std::span<const uint32_t> counts, unsigned table_bits);

}  // namespace binnacle::store::metrics
