// Least-squares lines through any stretch of a column in O(1), where prefix sums (prefix_sums.h)
// are certain of them. One thread's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "query/promql/prefix_sums.h"

namespace binnacle::query::promql {

struct FittedLine {
  double slope;       // per second
  int64_t origin_ms;  // origin_ms + after_ms is the mean of the samples' times; a sum in one double
  double after_ms;    // would keep few bits of it
  double value;       // the mean of their values, through which the line goes
};

class LineSums {
 public:
  void assign(std::span<const int64_t> times_ms, std::span<const double> values);
  // Of samples [first, last), two at least. False: go through them.
  bool fit(uint32_t first, uint32_t last, FittedLine& out) const;

 private:
  int64_t origin_ms_ = 0;
  std::vector<double> times_;  // milliseconds from the first sample: whole numbers, so exact
  PrefixSums x_, y_, xy_, xx_;
};

}  // namespace binnacle::query::promql
