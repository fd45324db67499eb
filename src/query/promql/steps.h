// The evenly spaced instants at which a query is evaluated, and the value that stands for "none"
// in a column over them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace binnacle::query::promql {

// No time that is computed with lies further away, so that windows, offsets and lookbacks, which
// are some hundred years each at most, never leave 64 bits.
inline constexpr int64_t kFarthestMs = int64_t{1} << 61;
inline constexpr int64_t kLongestMs = int64_t{1} << 53;

struct Steps {
  int64_t start_ms = 0;
  int64_t end_ms = 0;   // included when a step falls on it
  int64_t step_ms = 0;  // 0: one step, at start_ms
  size_t count() const {
    return step_ms <= 0 ? 1 : static_cast<size_t>((end_ms - start_ms) / step_ms) + 1;
  }
  int64_t at(size_t i) const { return start_ms + static_cast<int64_t>(i) * step_ms; }
  friend bool operator==(const Steps&, const Steps&) = default;
};

// A quiet NaN no sample carries: what comes from a store with these bits is made a plain NaN.
// Arithmetic may carry a NaN's bits on, so an operator looks at is_absent() before it computes.
inline constexpr uint64_t kAbsentBits = 0x7ff8'ab5e'0000'0001;
inline double absent_value() { return std::bit_cast<double>(kAbsentBits); }
inline bool is_absent(double value) { return std::bit_cast<uint64_t>(value) == kAbsentBits; }

}  // namespace binnacle::query::promql
