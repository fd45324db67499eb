// Questions about a column of values, mostly one for each step. Pure.
#pragma once

#include <cstddef>
#include <span>

#include "base/wide_vectors.h"
#include "query/promql/steps.h"

namespace binnacle::query::promql {

inline constexpr size_t kNoStep = static_cast<size_t>(-1);

BINNACLE_WIDE_VECTORS bool has_absent(std::span<const double> values);
BINNACLE_WIDE_VECTORS bool has_nan(std::span<const double> values);
// Whether a value lies below the bound at its place.
BINNACLE_WIDE_VECTORS bool any_below(std::span<const double> values, const double* bounds);

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
