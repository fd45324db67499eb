#include "query/promql/column.h"

namespace binnacle::query::promql {

// None of these loops has an early exit, so that they are vector ones: what they look for is rare.

BINNACLE_WIDE_VECTORS
bool has_absent(std::span<const double> values) {
  uint64_t any = 0;
  for (const double value : values) any |= static_cast<uint64_t>(is_absent(value));
  return any != 0;
}

BINNACLE_WIDE_VECTORS
bool has_nan(std::span<const double> values) {
  uint64_t any = 0;
  for (const double value : values) any |= static_cast<uint64_t>(value != value);
  return any != 0;
}

// Two columns, as the compiler would otherwise carry values from one turn of the loop to the next.
BINNACLE_WIDE_VECTORS
bool any_below(std::span<const double> values, const double* bounds) {
  uint64_t any = 0;
  for (size_t i = 0; i < values.size(); ++i) any |= static_cast<uint64_t>(values[i] < bounds[i]);
  return any != 0;
}

}  // namespace binnacle::query::promql
