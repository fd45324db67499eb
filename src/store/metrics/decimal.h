// Doubles as integers scaled by a power of ten: what instruments print with few digits is a small
// integer then. A double v stands for the integer i at exponent e when i / 10^e, rounded once as
// IEEE 754 says, is v to the bit. After ALP (Afroozeh et al., SIGMOD 2023) and VictoriaMetrics'
// decimal columns. Pure functions; any thread. Format: docs/formats/chunk.md.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace binnacle::store::metrics {

inline constexpr unsigned kMaxDecimalExponent = 15;
inline constexpr double kPowersOfTen[kMaxDecimalExponent + 1] = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

inline double from_decimal(int64_t integer, double power_of_ten) {
  return static_cast<double>(integer) / power_of_ten;
}

// False when no integer stands for `value`; `integer` is then of no use.
inline bool to_decimal(double value, double power_of_ten, int64_t& integer) {
  // Adding it leaves the nearest integer in the low bits of a double below 2^51.
  constexpr double kMagic = 0x1.8p52;
  if (const double scaled = value * power_of_ten; std::abs(scaled) <= 0x1p51) {
    integer = std::bit_cast<int64_t>(scaled + kMagic) - std::bit_cast<int64_t>(kMagic);
  } else if (power_of_ten == 1 && std::abs(value) < 0x1p63) {
    integer = static_cast<int64_t>(value);
  } else {
    return false;
  }
  return std::bit_cast<uint64_t>(from_decimal(integer, power_of_ten)) ==
         std::bit_cast<uint64_t>(value);
}

// The smallest exponent that suits most of `values`, judged by a sample of them; none when they do
// not look like decimals.
std::optional<unsigned> guess_decimal_exponent(std::span<const double> values);

// Writes the integers of `values`. Where none stands for a value, its index goes to `misfits` as
// far as that has room, and the integer is the one before (the next one at the start), which costs
// the least. Returns how many misfits there were.
size_t to_decimals(std::span<const double> values, unsigned exponent, std::span<uint64_t> integers,
                   std::span<uint32_t> misfits);

// Writes values; `values` and `integers` have the same size. True when to_decimals() would make the
// same integers of them, which it does where all are small.
bool from_decimals(std::span<const uint64_t> integers, unsigned exponent, std::span<double> values);

}  // namespace binnacle::store::metrics
