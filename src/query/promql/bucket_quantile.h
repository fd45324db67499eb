// Quantiles and fractions of a classic histogram: cumulative counts of buckets at one instant, with
// linear interpolation inside a bucket. Pure; any thread. Source: Prometheus documentation,
// "histogram_quantile" and "histogram_fraction".
#pragma once

#include <cstddef>
#include <span>

namespace binnacle::query::promql {

// All take `bounds` ascending and `counts` beside them, at least one of each.

// Adds up the counts of equal bounds; gives the number of buckets left at the front.
size_t join_equal_bounds(std::span<double> bounds, std::span<double> counts);

struct MonotonicFix {
  bool forced = false;   // a count was below the one before by more than rounding makes
  double min_bound = 0;  // of the counts that were forced, as below
  double max_bound = 0;
  double max_diff = 0;
};

// Makes counts rise: one that is below the one before, or next to equal to it, becomes that one.
MonotonicFix make_monotonic(std::span<const double> bounds, std::span<double> counts);

// `bounds` rise strictly and `counts` are monotonic. NaN where the highest bound is not +Inf, there
// are fewer than two buckets or nothing was observed; -Inf and +Inf for q outside [0, 1]. The
// lowest bucket begins at 0 if its bound is above 0.
double bucket_quantile(double q, std::span<const double> bounds, std::span<const double> counts);

// The share of what was observed that lies between `lower` and `upper`. `bounds` rise strictly.
double bucket_fraction(double lower, double upper, std::span<const double> bounds,
                       std::span<const double> counts);

}  // namespace binnacle::query::promql
