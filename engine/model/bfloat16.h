// bfloat16: the upper half of a float. Pure functions.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace binnacle::engine {

// To the nearest, of two equally near the even one, as every processor does it; a NaN stays one.
inline uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x40U);
  return static_cast<uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

inline float from_bfloat16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

}  // namespace binnacle::engine
