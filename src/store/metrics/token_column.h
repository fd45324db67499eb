// Unsigned residuals whose high bits are coded by how often they occur and whose low bits lie
// packed behind them. Pure functions; any thread. Format: docs/formats/chunk.md, "Token columns".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "store/metrics/summing.h"

namespace binnacle::store::metrics {

struct TokenPlan {
  unsigned shift = 0;   // low bits that are packed as they are
  unsigned tokens = 0;  // size of the alphabet, 2 to kMaxTokens
  uint8_t shape = 0;    // of token_model.h
  size_t bytes = 0;     // estimated
};

// The cheapest of some plans; `residuals` are at least kFewestResiduals, the largest is `largest`,
// which is not 0.
inline constexpr size_t kFewestResiduals = 8;
TokenPlan plan_tokens(std::span<const uint64_t> residuals, uint64_t largest);

// Shift and alphabet are for the caller to keep. Appends.
void encode_token_column(std::span<const uint64_t> residuals, const TokenPlan& plan,
                         std::string& out);
// Fills all of `out` with what the residuals sum up to; false when the bytes are not such a column
// of exactly that many.
bool decode_token_column(std::string_view bytes, unsigned shift, unsigned tokens,
                         const Summing& summing, std::span<uint64_t> out);

}  // namespace binnacle::store::metrics
