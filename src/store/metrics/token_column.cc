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

using Counts = std::array<uint32_t, kMaxTokens>;

TokenPlan plan_of(size_t count, unsigned shift, unsigned tokens, const FittedShape& fitted) {
  // About half of the states' bits is got back, as the last tokens are free.
  const double bits = fitted.bits + token_table_bits(count) / 2.0;
  return {shift, tokens, fitted.shape,
          1 + packed_bytes(count, shift) + static_cast<size_t>(std::ceil(bits / 8))};
}

}  // namespace

TokenPlan plan_tokens(std::span<const uint64_t> residuals, uint64_t largest) {
  CHECK(residuals.size() >= kFewestResiduals && largest > 0);
  const unsigned table_bits = token_table_bits(residuals.size());
  // Short columns have no use for fine steps, and their table has no room for them.
  const unsigned most_bits = table_bits == kMaxTableBits ? 6 : 5;
  const unsigned width = bit_width(largest);
  unsigned shift = width > most_bits ? width - most_bits : 0;
  auto tokens = static_cast<unsigned>(largest >> shift) + 1;
  Counts counts{};
  for (const uint64_t residual : residuals) ++counts[residual >> shift];
  FittedShape fitted = fit_token_shape(std::span(counts).first(tokens), table_bits);
  TokenPlan best = plan_of(residuals.size(), shift, tokens, fitted);
  // Shapes do not depend on the size of the alphabet, so that one fit does for coarser ones.
  constexpr unsigned kCoarser = 2;
  for (unsigned n = 0; n < kCoarser && tokens > 2; ++n) {
    for (size_t k = 0; k < kMaxTokens; k += 2) {
      const uint32_t both = counts[k] + counts[k + 1];
      counts[k / 2] = both;
    }
    std::fill(counts.begin() + kMaxTokens / 2, counts.end(), 0);
    ++shift;
    tokens = (tokens + 1) / 2;
    fitted.bits = token_bits(fitted.shape, std::span(counts).first(tokens), table_bits);
    const TokenPlan plan = plan_of(residuals.size(), shift, tokens, fitted);
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
                         const Summing& summing, std::span<uint64_t> out) {
  Sections sections;
  if (tokens < 2 || tokens > kMaxTokens || shift > 63) return false;
  if (!split(bytes, out.size(), shift, sections)) return false;
  const TokenShape shape{sections.shape, static_cast<uint8_t>(tokens),
                         static_cast<uint8_t>(token_table_bits(out.size()))};
  if (shift <= kMaxFusedShift)
    return decode_tokens(sections.tokens, shape, {shift, sections.low, summing}, out);
  if (!decode_tokens(sections.tokens, shape, {shift, {}, {}}, out)) return false;
  IntegerScratch low(out.size());
  if (!unpack_bits(sections.low, shift, low.words())) return false;
  for (size_t i = 0; i < out.size(); ++i) out[i] |= low.words()[i];
  sum_up(summing, out);
  return true;
}

}  // namespace binnacle::store::metrics
