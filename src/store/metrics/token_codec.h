// Tokens of a small alphabet at close to their entropy: table-driven asymmetric numeral systems
// (tANS; Duda 2013, arXiv:1311.2540, with the table spread of FSE). Pure functions; any thread.
// Format: docs/formats/chunk.md, "Token columns".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "store/metrics/summing.h"

namespace binnacle::store::metrics {

// The frequencies are those of token_frequencies(), the tokens numbers below their count. Appends.
void encode_tokens(std::span<const uint8_t> tokens, std::span<const uint16_t> frequencies,
                   unsigned table_bits, std::string& out);

// What token_frequencies() makes the frequencies of.
struct TokenShape {
  uint8_t shape = 0;
  uint8_t tokens = 0;  // 2 to kMaxTokens
  uint8_t table_bits = 0;
};
// What becomes of the tokens: shifted left, with low bits that were packed apart, each is the
// residual of an integer.
struct TokenPlace {
  unsigned shift = 0;
  std::string_view low_bits = {};  // `shift` for each token; empty: zeros
  Summing summing = {};
};
inline constexpr unsigned kMaxFusedShift = 57;  // with low bits

// Fills all of `out` with the integers. False when `bytes` are not the coding of exactly that many.
bool decode_tokens(std::string_view bytes, const TokenShape& shape, const TokenPlace& place,
                   std::span<uint64_t> out);

}  // namespace binnacle::store::metrics
