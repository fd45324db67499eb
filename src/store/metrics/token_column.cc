#include "store/metrics/token_column.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/check.h"
#include "store/metrics/bit_packing.h"
#include "store/metrics/integer_scratch.h"
#include "store/metrics/token_codec.h"
#include "store/metrics/token_model.h"

namespace binnacle::store::metrics {
namespace {

struct Sections {
  uint8_t shape = 0;
  std::string_view low;  // packed
  std::string_view tokens;
};

bool split(std::string_view bytes, size_t count, unsigned shift, Sections& sections) {
  const size_t low_bytes = packed_bytes(count, shift);
  if (bytes.size() < 1 + low_bytes) return false;
  sections.shape = static_cast<uint8_t>(bytes[0]);
  sections.low = bytes.substr(1, low_bytes);
  sections.tokens = bytes.substr(1 + low_bytes);
  return true;
}

TokenPlan plan_at(std::span<const uint64_t> residuals, uint64_t largest, unsigned shift) {
  TokenPlan plan;
  plan.shift = shift;
  plan.tokens = static_cast<unsigned>(largest >> shift) + 1;
  std::array<uint32_t, kMaxTokens> counts{};
  for (const uint64_t residual : residuals) ++counts[residual >> shift];
  const unsigned table_bits = token_table_bits(residuals.size());
  const FittedShape fitted = fit_token_shape(std::span(counts).first(plan.tokens), table_bits);
  plan.shape = fitted.shape;
  // About half of the states' bits is got back, as the last tokens are free.
  plan.bytes = 1 + packed_bytes(residuals.size(), shift) +
               static_cast<size_t>(std::ceil((fitted.bits + table_bits / 2.0) / 8));
  return plan;
}

}  // namespace

TokenPlan plan_tokens(std::span<const uint64_t> residuals, uint64_t largest) {
  CHECK(residuals.size() >= kFewestResiduals && largest > 0);
  // Short columns have no use for fine steps, and their table has no room for them.
  const unsigned most_bits = token_table_bits(residuals.size()) == kMaxTableBits ? 6 : 5;
  const unsigned width = bit_width(largest);
  const unsigned finest = width > most_bits ? width - most_bits : 0;
  TokenPlan best = plan_at(residuals, largest, finest);
  for (unsigned shift = finest + 1; shift < std::min(finest + 3, width); ++shift) {
    const TokenPlan plan = plan_at(residuals, largest, shift);
    if (plan.bytes < best.bytes) best = plan;
  }
  return best;
}

void encode_token_column(std::span<const uint64_t> residuals, const TokenPlan& plan,
                         std::string& out) {
  std::vector<uint8_t> tokens(residuals.size());
  std::vector<uint64_t> low(residuals.size());
  const uint64_t mask = (uint64_t{1} << plan.shift) - 1;
  for (size_t i = 0; i < residuals.size(); ++i) {
    tokens[i] = static_cast<uint8_t>(residuals[i] >> plan.shift);
    low[i] = residuals[i] & mask;
  }
  out.push_back(static_cast<char>(plan.shape));
  pack_bits(low, plan.shift, out);
  const unsigned table_bits = token_table_bits(residuals.size());
  std::array<uint16_t, kMaxTokens> room{};
  const std::span frequencies(room.data(), plan.tokens);
  token_frequencies(plan.shape, table_bits, frequencies);
  encode_tokens(tokens, frequencies, table_bits, out);
}

bool decode_token_column(std::string_view bytes, unsigned shift, unsigned tokens,
                         std::span<uint64_t> out) {
  Sections sections;
  if (tokens < 2 || tokens > kMaxTokens || shift > 63) return false;
  if (!split(bytes, out.size(), shift, sections)) return false;
  const unsigned table_bits = token_table_bits(out.size());
  std::array<uint16_t, kMaxTokens> room;
  const std::span frequencies(room.data(), tokens);
  token_frequencies(sections.shape, table_bits, frequencies);
  if (!decode_tokens(sections.tokens, frequencies, table_bits, shift, out)) return false;
  if (shift == 0) return true;
  IntegerScratch low(out.size());
  if (!unpack_bits(sections.low, shift, low.words())) return false;
  for (size_t i = 0; i < out.size(); ++i) out[i] |= low.words()[i];
  return true;
}

}  // namespace binnacle::store::metrics
