// Sixteen numbers side by side, as every kernel computes: one register of AVX-512, two of AVX2,
// four of SSE. Because the width is the same everywhere, so is the order of additions. Arguments go
// by reference and all is inlined, as a vector's calling convention depends on the processor.
// Products and sums stand in one expression, which becomes a fused operation where the function's
// target has one. Pure; any thread.
#pragma once

#include <cstdint>
#include <cstring>

namespace binnacle::engine {

inline constexpr int kLanes = 16;

using Lanes = float __attribute__((ext_vector_type(16)));
using IntLanes = int32_t __attribute__((ext_vector_type(16)));

#define BINNACLE_LANES [[gnu::always_inline]] inline

BINNACLE_LANES void load(Lanes& to, const float* from) { __builtin_memcpy(&to, from, sizeof to); }

// bf16 is the upper half of a float.
BINNACLE_LANES void load(Lanes& to, const uint16_t* from) {
  using Halves = uint16_t __attribute__((ext_vector_type(16)));
  using Words = uint32_t __attribute__((ext_vector_type(16)));
  Halves halves;
  __builtin_memcpy(&halves, from, sizeof halves);
  const Words words = __builtin_convertvector(halves, Words) << 16;
  __builtin_memcpy(&to, &words, sizeof to);
}

// Fewer than 16; zeros after them.
template <typename T>
BINNACLE_LANES void load_part(Lanes& to, const T* from, int64_t count) {
  T padded[kLanes] = {};
  __builtin_memcpy(padded, from, static_cast<size_t>(count) * sizeof(T));
  load(to, padded);
}

BINNACLE_LANES void store(float* to, const Lanes& from) {
  __builtin_memcpy(to, &from, sizeof from);
}

BINNACLE_LANES void store_part(float* to, const Lanes& from, int64_t count) {
  float whole[kLanes];
  store(whole, from);
  __builtin_memcpy(to, whole, static_cast<size_t>(count) * sizeof(float));
}

// Lane i with lane i + 8, then i + 4, i + 2, i + 1.
BINNACLE_LANES float sum(const Lanes& v) {
  const auto a = v.lo + v.hi;
  const auto b = a.lo + a.hi;
  const auto c = b.lo + b.hi;
  return c.x + c.y;
}

BINNACLE_LANES float max_of(const Lanes& v) {
  const auto a = __builtin_elementwise_max(v.lo, v.hi);
  const auto b = __builtin_elementwise_max(a.lo, a.hi);
  const auto c = __builtin_elementwise_max(b.lo, b.hi);
  return c.x > c.y ? c.x : c.y;
}

// e^x to about one unit in the last place: x = n ln 2 + r, the series of e^r to r^7 (|r| <= 0.35,
// so that the next term is below 6e-9), n put into the exponent. Held within [-87, 88], where
// floats are normal; NaN stays NaN.
BINNACLE_LANES void exp_of(Lanes& v) {
  const Lanes x =
      __builtin_elementwise_min(__builtin_elementwise_max(v, Lanes(-87.0F)), Lanes(88.0F));
  const Lanes n = __builtin_elementwise_floor(x * 1.44269504F + 0.5F);
  Lanes r = n * -0.693359375F + x;  // ln 2 in two parts, the first with few bits
  r = n * 2.12194440e-4F + r;
  Lanes e = r * (1.0F / 5040) + (1.0F / 720);
  e = e * r + (1.0F / 120);
  e = e * r + (1.0F / 24);
  e = e * r + (1.0F / 6);
  e = e * r + 0.5F;
  e = e * r + 1.0F;
  e = e * r + 1.0F;
  const IntLanes bits = (__builtin_convertvector(n, IntLanes) + 127) << 23;
  Lanes power;
  __builtin_memcpy(&power, &bits, sizeof power);
  e = e * power;
  v = v == v ? e : v;
}

}  // namespace binnacle::engine
