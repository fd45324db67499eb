// Sums whose rounding error is carried along (Kahan 1965, Neumaier 1974), in the order and with the
// handling of infinities that PromQL prescribes.
#pragma once

#include <cmath>

namespace binnacle::query::promql {

struct CompensatedSum {
  double sum = 0;
  double error = 0;  // what `sum` lacks

  void add(double value) {
    const double total = sum + value;
    // TwoSum (Knuth): what the addition lost, exactly, whichever of the two is larger; no branch.
    const double back = total - sum;
    const double lost = (sum - (total - back)) + (value - back);
    error = std::isinf(total) ? 0 : error + lost;
    sum = total;
  }
  double total() const { return sum + error; }
};

}  // namespace binnacle::query::promql
