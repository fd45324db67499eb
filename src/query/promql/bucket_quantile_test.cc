#include "query/promql/bucket_quantile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace binnacle::query::promql {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNaN = std::numeric_limits<double>::quiet_NaN();

using Column = std::vector<double>;

// As the definition has it: the first bucket that holds the rank, all cases in turn.
double naive_quantile(double q, const Column& bounds, const Column& counts) {
  if (std::isnan(q)) return kNaN;
  if (q < 0 || q > 1) return q < 0 ? -kInf : kInf;
  if (bounds.back() != kInf || bounds.size() < 2 || counts.back() == 0) return kNaN;
  const double rank = q * counts.back();
  for (size_t i = 0; i + 1 < bounds.size(); ++i) {
    if (counts[i] < rank) continue;
    if (i == 0 && bounds[0] <= 0) return bounds[0];
    const double below = i == 0 ? 0 : bounds[i - 1];
    const double before = i == 0 ? 0 : counts[i - 1];
    return below + (bounds[i] - below) * ((rank - before) / (counts[i] - before));
  }
  return bounds[bounds.size() - 2];
}

// Observations at or below `v`, those of a bucket spread evenly.
double naive_rank(double v, const Column& bounds, const Column& counts) {
  if (v == kInf) return counts.back();
  double below = bounds[0] > 0 ? 0 : -kInf;
  double before = 0;
  for (size_t i = 0; i < bounds.size(); ++i) {
    if (v <= below) return before;
    if (v < bounds[i]) {
      if (below == -kInf) return counts[i];
      if (bounds[i] == kInf) return before;
      return before + (counts[i] - before) * (v - below) / (bounds[i] - below);
    }
    below = bounds[i];
    before = counts[i];
  }
  return before;
}

struct Generated {
  Column bounds;
  Column counts;
};

Generated generate(std::mt19937& random) {
  Generated out;
  const size_t buckets = 1 + random() % 6;
  double bound = static_cast<double>(random() % 9) - 5;
  double count = 0;
  for (size_t i = 0; i < buckets; ++i) {
    bound += 1 + static_cast<double>(random() % 4);
    count += static_cast<double>(random() % 5) * 0.5;
    out.bounds.push_back(bound);
    out.counts.push_back(count);
  }
  if (random() % 8 != 0) out.bounds.back() = kInf;
  return out;
}

void expect_same(double got, double expected) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(got)) << got;
  } else if (std::isinf(expected)) {
    EXPECT_EQ(got, expected);
  } else {
    EXPECT_NEAR(got, expected, 1e-9);
  }
}

TEST(BucketQuantile, AgreesWithANaiveOne) {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    const Generated given = generate(random);
    for (const double q : {-0.1, 0.0, 0.01, 0.3, 0.5, 0.77, 0.99, 1.0, 1.1, kNaN}) {
      expect_same(bucket_quantile(q, given.bounds, given.counts),
                  naive_quantile(q, given.bounds, given.counts));
    }
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST(BucketQuantile, FractionAgreesWithANaiveOne) {
  std::mt19937 random(8);
  for (int round = 0; round < 20'000; ++round) {
    const Generated given = generate(random);
    for (int i = 0; i < 10; ++i) {
      double limits[2];
      for (double& limit : limits) {
        limit = static_cast<double>(random() % 40) * 0.5 - 6;
        if (random() % 6 == 0) limit = random() % 2 == 0 ? kInf : -kInf;
      }
      double expected = kNaN;
      if (given.bounds.back() == kInf && given.counts.back() != 0) {
        expected = limits[0] >= limits[1] ? 0
                                          : (naive_rank(limits[1], given.bounds, given.counts) -
                                             naive_rank(limits[0], given.bounds, given.counts)) /
                                                given.counts.back();
      }
      expect_same(bucket_fraction(limits[0], limits[1], given.bounds, given.counts), expected);
    }
    ASSERT_FALSE(testing::Test::HasFailure());
  }
  const Column bounds = {1, kInf};
  const Column counts = {1, 2};
  EXPECT_TRUE(std::isnan(bucket_fraction(kNaN, 1, bounds, counts)));
  EXPECT_TRUE(std::isnan(bucket_fraction(0, kNaN, bounds, counts)));
}

TEST(BucketQuantile, EqualBoundsAreOneBucket) {
  Column bounds = {1, 1, 2, 3, 3, 3};
  Column counts = {1, 10, 5, 1, 2, 3};
  ASSERT_EQ(join_equal_bounds(bounds, counts), 3U);
  EXPECT_EQ(Column(bounds.begin(), bounds.begin() + 3), (Column{1, 2, 3}));
  EXPECT_EQ(Column(counts.begin(), counts.begin() + 3), (Column{11, 5, 6}));
}

TEST(BucketQuantile, CountsAreMadeToRise) {
  Column counts = {5, 4, 6, 2, 6, 7};
  const Column bounds = {1, 2, 3, 4, 5, kInf};
  const MonotonicFix fix = make_monotonic(bounds, counts);
  EXPECT_EQ(counts, (Column{5, 5, 6, 6, 6, 7}));
  EXPECT_TRUE(fix.forced);
  EXPECT_EQ(fix.min_bound, 2);
  EXPECT_EQ(fix.max_bound, 4);
  EXPECT_EQ(fix.max_diff, 4);
}

TEST(BucketQuantile, WhatRoundingMakesIsNoFault) {
  const double more = 100 * (1 + 1e-13);
  Column counts = {100, more, 100 * (1 - 1e-13), 101};
  const MonotonicFix fix = make_monotonic(Column{1, 2, 3, kInf}, counts);
  EXPECT_FALSE(fix.forced);
  EXPECT_EQ(counts, (Column{100, 100, 100, 101}));
  Column apart = {100, 100 * (1 - 1e-11)};
  EXPECT_TRUE(make_monotonic(Column{1, kInf}, apart).forced);
  Column zero = {1e-300, 0};
  EXPECT_TRUE(make_monotonic(Column{1, kInf}, zero).forced);
}

}  // namespace
}  // namespace binnacle::query::promql
