#include "store/metrics/decimal.h"

#include <algorithm>

#include "base/check.h"

namespace binnacle::store::metrics {
namespace {

// Few enough to cost little beside the column, enough to meet the longest decimals.
constexpr size_t kSample = 8;

unsigned smallest_exponent(double value, unsigned from) {
  int64_t integer = 0;
  unsigned exponent = from;
  while (exponent <= kMaxDecimalExponent && !to_decimal(value, kPowersOfTen[exponent], integer))
    ++exponent;
  return exponent;
}

}  // namespace

std::optional<unsigned> guess_decimal_exponent(std::span<const double> values) {
  unsigned largest = 0;
  size_t suited = 0;
  size_t asked = 0;
  const size_t stride = std::max<size_t>(1, values.size() / kSample);
  for (size_t i = 0; i < values.size(); i += stride) {
    if (!std::isfinite(values[i])) continue;
    ++asked;
    const unsigned exponent = smallest_exponent(values[i], largest);
    if (exponent <= kMaxDecimalExponent) {
      largest = exponent;
      ++suited;
    } else if (asked > 2 * suited + 1) {
      return std::nullopt;
    }
  }
  if (2 * suited < asked) return std::nullopt;
  return largest;
}

size_t to_decimals(std::span<const double> values, unsigned exponent, std::span<uint64_t> integers,
                   std::span<uint32_t> misfits) {
  CHECK(exponent <= kMaxDecimalExponent && values.size() == integers.size());
  const double power = kPowersOfTen[exponent];
  size_t count = 0;
  size_t leading = 0;
  int64_t before = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t integer = 0;
    if (to_decimal(values[i], power, integer)) {
      before = integer;
    } else {
      if (count < misfits.size()) misfits[count] = static_cast<uint32_t>(i);
      leading += leading == i ? 1 : 0;
      ++count;
    }
    integers[i] = static_cast<uint64_t>(before);
  }
  if (leading < values.size()) std::fill_n(integers.begin(), leading, integers[leading]);
  return count;
}

namespace {

// Values of integers in [-2^50, 2^50), by arithmetic that works on several at a time where a
// conversion does not. False, and the values are of no use, where some lie outside.
template <bool kDivide>
bool from_small_decimals(std::span<const uint64_t> integers, double power,
                         std::span<double> values) {
  constexpr double kMagic = 0x1.8p52;
  constexpr uint64_t kHalf = uint64_t{1} << 50;
  uint64_t outside = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    outside |= integers[i] + kHalf;
    const double value = std::bit_cast<double>(integers[i] + std::bit_cast<uint64_t>(kMagic));
    values[i] = kDivide ? (value - kMagic) / power : value - kMagic;
  }
  return outside < 2 * kHalf;
}

}  // namespace

bool from_decimals(std::span<const uint64_t> integers, unsigned exponent,
                   std::span<double> values) {
  CHECK(exponent <= kMaxDecimalExponent && values.size() == integers.size());
  const double power = kPowersOfTen[exponent];
  // A division by 1 is exact and slow.
  if (exponent == 0 ? from_small_decimals<false>(integers, power, values)
                    : from_small_decimals<true>(integers, power, values))
    return true;
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = from_decimal(static_cast<int64_t>(integers[i]), power);
  return false;
}

}  // namespace binnacle::store::metrics
