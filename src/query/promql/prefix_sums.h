// Sums over any stretch of a column in O(1), with a bound of their error.
//
// A sliding sum that adds what comes in and subtracts what goes out drifts, and never recovers from
// an Inf. Here the sums from the column's start on are kept in 106 bits (double_double.h), with the
// sum of the magnitudes beside them, which bounds the error of the difference of any two. Where the
// bound is not far below what the caller makes of it, as after cancellation, or where a stretch
// holds an Inf, a NaN or a value so large that sums may overflow, the caller adds that stretch up
// value by value. One thread's.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "query/promql/double_double.h"

namespace binnacle::query::promql {

class PrefixSums {
 public:
  void assign(std::span<const double> values);
  // Sums of a[i] * b[i].
  void assign_products(std::span<const double> a, std::span<const double> b);

  // No value of [first, last) is wild: not finite, or too large.
  bool tame(uint32_t first, uint32_t last) const {
    return points_[first].wild == points_[last].wild;
  }
  // The sum of values [first, last), wild ones left out.
  DoubleDouble between(uint32_t first, uint32_t last) const {
    return points_[last].sum - points_[first].sum;
  }
  // The error of between(..., last) is less. Each addition errs by less than 2^-103 of the
  // magnitudes so far; a difference has the errors of two ends.
  double error(uint32_t last) const {
    return points_[last].magnitudes * (static_cast<double>(last) * 0x1p-101);
  }
  // What the magnitudes of [first, last) sum up to, or a little more.
  double magnitudes(uint32_t first, uint32_t last) const {
    const double all = points_[last].magnitudes;
    return (all - points_[first].magnitudes) + all * (static_cast<double>(last) * 0x1p-52);
  }

  // The sum, right to the last bits of a double. False: add them up.
  bool sum(uint32_t first, uint32_t last, DoubleDouble& out) const {
    if (!tame(first, last)) return false;
    out = between(first, last);
    return std::abs(out.high) >= error(last) * 0x1p51;
  }

 private:
  struct Point {
    DoubleDouble sum;
    double magnitudes = 0;
    uint32_t wild = 0;
  };
  std::vector<Point> points_;  // one more than values: sums of those before
};

}  // namespace binnacle::query::promql
