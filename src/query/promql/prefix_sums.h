// Sums over any stretch of a column in O(1), or a word that they cannot be told safely.
//
// A sliding sum that adds what comes in and subtracts what goes out drifts, and never recovers from
// an Inf. Here the sums from the column's start on are kept in two doubles each (106 bits: Dekker
// 1971, Knuth TAOCP 4.2.2), with the sum of the magnitudes beside them, which bounds the error of
// the difference of any two. Where the bound is not far below the difference, as after
// cancellation, or where a stretch holds an Inf, a NaN or a value so large that sums may overflow,
// the answer is no, and the caller adds that stretch up value by value. One thread's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "query/promql/compensated_sum.h"

namespace binnacle::query::promql {

class PrefixSums {
 public:
  void assign(std::span<const double> values);

  // The sum of values [first, last), right to the last bits of a double. False: add them up.
  bool sum(uint32_t first, uint32_t last, CompensatedSum& out) const {
    const Point& a = points_[first];
    const Point& b = points_[last];
    if (a.wild != b.wild) return false;
    // TwoSum of the high parts, then the low ones and the error of the first.
    const double high = b.high - a.high;
    const double back = high - b.high;
    const double low = ((b.high - (high - back)) + (-a.high - back)) + (b.low - a.low);
    out.sum = high + low;
    out.error = low - (out.sum - high);
    return std::abs(out.sum) >= b.error_bound;
  }

 private:
  struct Point {
    double high = 0;
    double low = 0;
    double error_bound = 0;  // a sum must be at least this to be right to the last bits
    uint32_t wild = 0;       // values so far that are not finite, or too large
  };
  std::vector<Point> points_;  // one more than values: sums of those before
};

}  // namespace binnacle::query::promql
