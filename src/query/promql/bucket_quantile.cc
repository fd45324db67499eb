#include "query/promql/bucket_quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace binnacle::query::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// What sums of floats in another order may come apart by.
constexpr double kRounding = 1e-12;

bool nearly_equal(double a, double b) {
  constexpr double kLeastNormal = std::numeric_limits<double>::min();
  if (std::isnan(a) && std::isnan(b)) return true;
  const double sum = std::fabs(a) + std::fabs(b);
  const double diff = std::fabs(a - b);
  if (a == 0 || b == 0 || sum < kLeastNormal) return diff < kRounding * kLeastNormal;
  return diff / std::min(sum, std::numeric_limits<double>::max()) < kRounding;
}

// The first bucket, the last left out, that reaches `rank`; the last if none does. Always the same
// halving, so that counts with NaN among them give what they give in Prometheus.
size_t bucket_of(double rank, std::span<const double> counts) {
  size_t low = 0;
  size_t high = counts.size() - 1;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (counts[middle] >= rank) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// The bucket from `below` to `above` with `rank` observations below it and `count` up to its end.
struct Span {
  double below;
  double above;
  double rank;
  double count;
};

// What lies at `v`, inside the bucket. Nothing of a bucket without a lower end is told apart: all
// of it counts as below.
double rank_inside(const Span& bucket, double v) {
  if (bucket.below == -kInfinity) return bucket.count;
  return bucket.rank +
         (bucket.count - bucket.rank) * (v - bucket.below) / (bucket.above - bucket.below);
}

// The number of observations below a limit, found while the buckets go by.
class RankAt {
 public:
  explicit RankAt(double limit) : limit_(limit) {}

  void pass(const Span& bucket) {
    if (found_) return;
    if (bucket.below >= limit_) {
      rank_ = bucket.rank;
      found_ = true;
    } else if (bucket.above > limit_) {
      rank_ = rank_inside(bucket, limit_);
      found_ = true;
    }
  }
  double get(double total) const { return !found_ || rank_ > total ? total : rank_; }

 private:
  const double limit_;
  double rank_ = 0;
  bool found_ = false;
};

// Tells most pairs without a division: false where nearly_equal() has to be asked.
bool clearly_rises(double from, double to) {
  constexpr double kLeast = std::numeric_limits<double>::min();
  return to - from > std::max(10 * kRounding * (std::fabs(from) + std::fabs(to)), kLeast);
}

}  // namespace

size_t join_equal_bounds(std::span<double> bounds, std::span<double> counts) {
  size_t last = 0;
  for (size_t i = 1; i < bounds.size(); ++i) {
    if (bounds[i] == bounds[last]) {
      counts[last] += counts[i];
    } else {
      ++last;
      bounds[last] = bounds[i];
      counts[last] = counts[i];
    }
  }
  return last + 1;
}

MonotonicFix make_monotonic(std::span<const double> bounds, std::span<double> counts) {
  MonotonicFix fix{false, kInfinity, -kInfinity, 0};
  double before = counts[0];
  for (size_t i = 1; i < counts.size(); ++i) {
    const double count = counts[i];
    if (clearly_rises(before, count)) {
      before = count;
      continue;
    }
    if (count == before) continue;
    if (nearly_equal(before, count)) {
      counts[i] = before;
    } else if (count < before) {
      counts[i] = before;
      fix.forced = true;
      fix.min_bound = std::min(fix.min_bound, bounds[i]);
      fix.max_bound = std::max(fix.max_bound, bounds[i]);
      fix.max_diff = std::max(fix.max_diff, before - count);
    } else {
      before = count;
    }
  }
  return fix;
}

double bucket_quantile(double q, std::span<const double> bounds, std::span<const double> counts) {
  if (std::isnan(q)) return kNaN;
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  const size_t last = bounds.size() - 1;
  if (bounds[last] != kInfinity || last == 0 || counts[last] == 0) return kNaN;
  double rank = q * counts[last];
  const size_t bucket = bucket_of(rank, counts);
  if (bucket == last) return bounds[last - 1];
  if (bucket == 0 && bounds[0] <= 0) return bounds[0];
  double below = 0;
  double count = counts[bucket];
  if (bucket > 0) {
    below = bounds[bucket - 1];
    count -= counts[bucket - 1];
    rank -= counts[bucket - 1];
  }
  return below + (bounds[bucket] - below) * (rank / count);
}

double bucket_fraction(double lower, double upper, std::span<const double> bounds,
                       std::span<const double> counts) {
  const double total = counts.back();
  if (bounds.back() != kInfinity || total == 0 || std::isnan(lower) || std::isnan(upper)) {
    return kNaN;
  }
  if (lower >= upper) return 0;
  RankAt low(lower);
  RankAt high(upper);
  Span bucket{bounds[0] > 0 ? 0 : -kInfinity, 0, 0, 0};
  for (size_t i = 0; i < bounds.size(); ++i) {
    bucket.above = bounds[i];
    bucket.count = counts[i];
    low.pass(bucket);
    high.pass(bucket);
    bucket.below = bounds[i];
    bucket.rank = counts[i];
  }
  return (high.get(total) - low.get(total)) / total;
}

}  // namespace binnacle::query::promql
