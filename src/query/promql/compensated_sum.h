// Sums that carry what each addition rounds away (Kahan 1965, Neumaier 1974). The sum is sum +
// rest; an infinite sum has no rest. Without branches, so that loops over columns become vector
// ones.
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

struct CompensatedSum {
  double sum = 0;
  double error = 0;  // what `sum` lacks

  void add(double value) { add_compensated(value, sum, error); }
  double total() const { return sum + error; }
};

}  // namespace binnacle::query::promql
