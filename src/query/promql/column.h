// Questions about a column of values, one for each step. Pure.
#pragma once

#include <cstddef>
#include <span>

#include "query/promql/steps.h"

namespace binnacle::query::promql {

inline constexpr size_t kNoStep = static_cast<size_t>(-1);

// Without an early exit, so that the loop is a vector one: most columns have no absent value.
inline bool has_absent(std::span<const double> values) {
  uint64_t any = 0;
  for (const double value : values) any |= static_cast<uint64_t>(is_absent(value));
  return any != 0;
}

inline size_t first_present(std::span<const double> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!is_absent(values[i])) return i;
  }
  return kNoStep;
}

inline size_t last_present(std::span<const double> values) {
  for (size_t i = values.size(); i > 0; --i) {
    if (!is_absent(values[i - 1])) return i - 1;
  }
  return kNoStep;
}

}  // namespace binnacle::query::promql
