#include "store/metrics/integer_codec.h"

#include <algorithm>
#include <limits>

#include "base/bytes.h"
#include "base/check.h"
#include "store/metrics/bit_packing.h"

namespace binnacle::store::metrics {
namespace {

// The first byte: the width of packed residuals in the low six bits, the order in the high two.
constexpr unsigned kWidthBits = 6;
constexpr unsigned kWidthMask = 63;  // also stands for 64
constexpr unsigned kOrders = 3;      // times differenced: 0, 1, 2

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

// Undoes it in one pass; `low` is added to each residual.
void integrate(std::span<uint64_t> x, unsigned order, uint64_t low) {
  if (order == 0) {
    for (uint64_t& v : x) v += low;
  } else if (order == 1) {
    uint64_t sum = x[0];
    for (uint64_t& v : x.subspan(1)) v = sum += v + low;
  } else {
    uint64_t delta = x[1];
    uint64_t sum = x[1] += x[0];
    for (uint64_t& v : x.subspan(2)) v = sum += delta += v + low;
  }
}

void encode_packed(std::span<uint64_t> x, const Plan& plan, std::string& out) {
  difference(x, plan.order);
  ByteWriter writer(out);
  writer.u8(static_cast<uint8_t>((plan.order << kWidthBits) | std::min(plan.width, kWidthMask)));
  for (const uint64_t seed : x.first(plan.order)) writer.zigzag(static_cast<int64_t>(seed));
  const std::span<uint64_t> residuals = x.subspan(plan.order);
  if (residuals.empty()) return;
  writer.zigzag(static_cast<int64_t>(plan.low));
  for (uint64_t& v : residuals) v -= plan.low;
  pack_bits(residuals, plan.width, out);
}

}  // namespace

void encode_integers(std::span<uint64_t> integers, Effort, std::string& out) {
  CHECK(!integers.empty());
  encode_packed(integers, plan_packing(integers), out);
}

bool decode_integers(std::string_view bytes, std::span<uint64_t> out) {
  CHECK(!out.empty());
  ByteReader reader(bytes);
  const uint8_t head = reader.u8();
  const unsigned order = head >> kWidthBits;
  if (order >= kOrders || order > out.size()) return false;
  for (uint64_t& seed : out.first(order)) seed = static_cast<uint64_t>(reader.zigzag());
  const std::span<uint64_t> residuals = out.subspan(order);
  const uint64_t low = residuals.empty() ? 0 : static_cast<uint64_t>(reader.zigzag());
  const unsigned width = (head & kWidthMask) == kWidthMask ? 64 : head & kWidthMask;
  if (!reader.ok() || !unpack_bits(reader.rest(), width, residuals)) return false;
  integrate(out, order, low);
  return true;
}

}  // namespace binnacle::store::metrics
