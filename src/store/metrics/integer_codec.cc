#include "store/metrics/integer_codec.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "store/metrics/bit_packing.h"
#include "store/metrics/outliers.h"
#include "store/metrics/summing.h"
#include "store/metrics/token_column.h"

namespace binnacle::store::metrics {
namespace {

// The first byte: the width of packed residuals in the low six bits, the order in the high two.
constexpr unsigned kWidthBits = 6;
constexpr unsigned kWidthMask = 63;  // also stands for 64
constexpr unsigned kOrders = 3;      // times differenced: 0, 1, 2
// In place of an order: a token column, and a second byte belongs to the first. Bits 0 to 3 of the
// first and 6 to 7 of the second are the shift, bits 0 to 5 of the second the alphabet less one,
// bits 4 and 5 of the first the order.
constexpr unsigned kTokens = 3;
// In place of that order: a list of outliers comes first, then the column with its own head.
constexpr unsigned kWithOutliers = 0xF0;

// What taking outliers out must save for each of the others before it is tried: tokens are good
// with tails.
constexpr unsigned kWorthwhileBits = 2;

struct Range {
  int64_t low = std::numeric_limits<int64_t>::max();
  int64_t high = std::numeric_limits<int64_t>::min();

  void take(uint64_t v) {
    low = std::min(low, static_cast<int64_t>(v));
    high = std::max(high, static_cast<int64_t>(v));
  }
  unsigned width() const {
    if (high < low) return 0;  // took nothing
    const unsigned bits = bit_width(static_cast<uint64_t>(high) - static_cast<uint64_t>(low));
    return bits >= kWidthMask ? 64 : bits;
  }
};

size_t zigzag_bytes(uint64_t v) {
  const uint64_t zigzag = (v << 1) ^ (0 - (v >> 63));
  return (bit_width(zigzag | 1) + 6) / 7;
}

struct Plan {
  unsigned order = 0;
  unsigned width = 0;
  uint64_t low = 0;
  size_t bytes = 0;
};

// The cheapest order for residuals packed at one width.
Plan plan_packing(std::span<const uint64_t> x) {
  Range ranges[kOrders];
  ranges[0].take(x[0]);
  uint64_t delta = x.size() > 1 ? x[1] - x[0] : 0;
  if (x.size() > 1) {
    ranges[0].take(x[1]);
    ranges[1].take(delta);
  }
  for (size_t i = 2; i < x.size(); ++i) {
    const uint64_t next = x[i] - x[i - 1];
    ranges[0].take(x[i]);
    ranges[1].take(next);
    ranges[2].take(next - delta);
    delta = next;
  }
  Plan best;
  size_t seeds = 0;
  for (unsigned order = 0; order < kOrders && order <= x.size(); ++order) {
    if (order == 1) seeds += zigzag_bytes(x[0]);
    if (order == 2) seeds += zigzag_bytes(x[1] - x[0]);
    const bool any = order < x.size();
    const auto low = static_cast<uint64_t>(any ? ranges[order].low : 0);
    const unsigned width = ranges[order].width();
    const size_t residuals = packed_bytes(x.size() - order, width) + (any ? zigzag_bytes(low) : 0);
    const size_t bytes = 1 + seeds + residuals;
    if (order == 0 || bytes < best.bytes) best = {order, width, low, bytes};
  }
  return best;
}

// Replaces x[1..] by differences, as often as `order` says; the seeds stay in front.
void difference(std::span<uint64_t> x, unsigned order) {
  for (unsigned pass = 0; pass < order; ++pass)
    for (size_t i = x.size() - 1; i > pass; --i) x[i] -= x[i - 1];
}

void encode_seeds(std::span<const uint64_t> x, const Plan& plan, ByteWriter& writer) {
  for (const uint64_t seed : x.first(plan.order)) writer.zigzag(static_cast<int64_t>(seed));
  if (plan.order < x.size()) writer.zigzag(static_cast<int64_t>(plan.low));
}

// `x` holds the seeds, then residuals less plan.low.
void encode_packed(std::span<const uint64_t> x, const Plan& plan, std::string& out) {
  ByteWriter writer(out);
  writer.u8(static_cast<uint8_t>((plan.order << kWidthBits) | std::min(plan.width, kWidthMask)));
  encode_seeds(x, plan, writer);
  pack_bits(x.subspan(plan.order), plan.width, out);
}

void encode_token_residuals(std::span<const uint64_t> x, const Plan& plan, const TokenPlan& tokens,
                            std::string& out) {
  ByteWriter writer(out);
  writer.u8(static_cast<uint8_t>(kTokens << kWidthBits | plan.order << 4 | tokens.shift >> 2));
  writer.u8(static_cast<uint8_t>((tokens.shift & 3) << 6 | (tokens.tokens - 1)));
  encode_seeds(x, plan, writer);
  encode_token_column(x.subspan(plan.order), tokens, out);
}

// What stands before the residuals: false when it is no column of that many.
bool decode_seeds(ByteReader& reader, unsigned order, std::span<uint64_t> out, uint64_t& low) {
  if (order >= kOrders || order > out.size()) return false;
  for (uint64_t& seed : out.first(order)) seed = static_cast<uint64_t>(reader.zigzag());
  low = order == out.size() ? 0 : static_cast<uint64_t>(reader.zigzag());
  return reader.ok();
}

// Makes integers of the seeds at the start of `x`.
Summing begin_sums(std::span<uint64_t> x, unsigned order, uint64_t low) {
  Summing summing{order, low, order > 0 ? x[0] : 0, 0};
  if (order < 2) return summing;
  summing.delta = x[1];
  summing.sum = x[1] += x[0];
  return summing;
}

// How a column is summed up, where outliers come between.
struct Later {
  bool wanted = false;
  unsigned order = 0;
  uint64_t low = 0;
};

// What is done with the residuals as they are read: all, or nothing yet.
Summing take_seeds(std::span<uint64_t> out, unsigned order, uint64_t low, Later& later) {
  later.order = order;
  later.low = low;
  return later.wanted ? Summing{} : begin_sums(out, order, low);
}

bool decode_token_residuals(ByteReader& reader, unsigned head, std::span<uint64_t> out,
                            Later& later) {
  const unsigned second = reader.u8();
  const unsigned order = (head >> 4) & 3;
  const unsigned shift = (head & 15) << 2 | second >> 6;
  uint64_t low = 0;
  if (!decode_seeds(reader, order, out, low)) return false;
  const Summing summing = take_seeds(out, order, low, later);
  return decode_token_column(reader.rest(), shift, (second & 63) + 1, summing, out.subspan(order));
}

bool decode_residuals(ByteReader& reader, std::span<uint64_t> out, Later& later) {
  const unsigned head = reader.u8();
  const unsigned order = head >> kWidthBits;
  if (order == kTokens) return decode_token_residuals(reader, head, out, later);
  uint64_t low = 0;
  if (!decode_seeds(reader, order, out, low)) return false;
  const unsigned width = (head & kWidthMask) == kWidthMask ? 64 : head & kWidthMask;
  if (!unpack_bits(reader.rest(), width, out.subspan(order))) return false;
  sum_up(take_seeds(out, order, low, later), out.subspan(order));
  return true;
}

// `x` holds the seeds, then residuals.
void encode_residuals(std::span<uint64_t> x, const Plan& plan, Effort effort, std::string& out) {
  const std::span<uint64_t> residuals = x.subspan(plan.order);
  for (uint64_t& v : residuals) v -= plan.low;
  if (effort == Effort::kSmall && plan.width > 0 && residuals.size() >= kFewestResiduals) {
    const uint64_t largest = *std::max_element(residuals.begin(), residuals.end());
    const TokenPlan tokens = plan_tokens(residuals, largest);
    // One byte more of head.
    if (1 + tokens.bytes < packed_bytes(residuals.size(), plan.width))
      return encode_token_residuals(x, plan, tokens, out);
  }
  encode_packed(x, plan, out);
}

void encode_plain(std::span<uint64_t> x, Effort effort, std::string& out) {
  const Plan plan = plan_packing(x);
  difference(x, plan.order);
  encode_residuals(x, plan, effort, out);
}

void encode_with_outliers(std::span<uint64_t> x, const OutlierPlan& plan, std::string& out) {
  difference(x, plan.order);
  out.push_back(static_cast<char>(kWithOutliers));
  encode_outliers(take_outliers(x, plan), out);
  Range range;
  for (const uint64_t v : x.subspan(plan.order)) range.take(v);
  encode_residuals(x, {plan.order, range.width(), static_cast<uint64_t>(range.low), 0},
                   Effort::kSmall, out);
}

}  // namespace

void encode_integers(std::span<uint64_t> integers, Effort effort, std::string& out) {
  CHECK(!integers.empty());
  if (effort == Effort::kQuick || integers.size() < kFewestForOutliers)
    return encode_plain(integers, effort, out);
  const OutlierPlan plan = plan_outliers(integers);
  if (plan.widest < plan.width + kWorthwhileBits) return encode_plain(integers, effort, out);
  std::vector<uint64_t> copy(integers.begin(), integers.end());
  std::string rival;
  encode_with_outliers(copy, plan, rival);
  const size_t start = out.size();
  encode_plain(integers, effort, out);
  if (rival.size() < out.size() - start) out.replace(start, std::string::npos, rival);
}

bool decode_integers(std::string_view bytes, std::span<uint64_t> out) {
  CHECK(!out.empty());
  ByteReader reader(bytes);
  const bool outliers = !bytes.empty() && static_cast<uint8_t>(bytes[0]) == kWithOutliers;
  if (outliers) reader.u8();
  const ByteReader list = reader;
  if (outliers && !skip_outliers(reader, out.size())) return false;
  Later later{outliers};
  if (!decode_residuals(reader, out, later)) return false;
  if (!outliers) return true;
  add_outliers(list, out);
  sum_up(begin_sums(out, later.order, later.low), out.subspan(later.order));
  return true;
}

}  // namespace binnacle::store::metrics
