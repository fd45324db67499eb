// A sum that carries what each addition rounds away (Neumaier's improvement of Kahan's method).
// The sum is sum + rest; an infinite sum has no rest. Without branches, so that loops over columns
// become vector ones.
#pragma once

#include <cmath>
#include <limits>

namespace binnacle::query::promql {

inline void add_compensated(double value, double& sum, double& rest) {
  const double total = sum + value;
  const double small_value = (sum - total) + value;
  const double small_sum = (value - total) + sum;
  const double lost = std::fabs(sum) >= std::fabs(value) ? small_value : small_sum;
  rest = std::fabs(total) == std::numeric_limits<double>::infinity() ? 0.0 : rest + lost;
  sum = total;
}

}  // namespace binnacle::query::promql
