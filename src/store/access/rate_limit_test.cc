#include "store/access/rate_limit.h"

#include <gtest/gtest.h>

#include <string>

namespace binnacle::store::access {
namespace {

TEST(TokenBuckets, BurstThenRate) {
  TokenBuckets buckets({.per_second = 10, .burst = 3}, 8);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(buckets.take(0, "a"), 0);
  EXPECT_EQ(buckets.take(0, "a"), 100);
  EXPECT_EQ(buckets.take(40, "a"), 60) << "a refused take costs nothing";
  EXPECT_EQ(buckets.take(100, "a"), 0);
  EXPECT_EQ(buckets.take(100, "a"), 100);
  EXPECT_EQ(buckets.take(0, "b"), 0) << "others are not concerned";
}

TEST(TokenBuckets, NeverMoreThanTheBurst) {
  TokenBuckets buckets({.per_second = 10, .burst = 3}, 8);
  EXPECT_EQ(buckets.take(0, "a"), 0);
  int taken = 0;
  while (buckets.take(1'000'000, "a") == 0) ++taken;
  EXPECT_EQ(taken, 3);
}

TEST(TokenBuckets, ZeroIsNoLimitAndKeepsNoTable) {
  TokenBuckets buckets({.per_second = 0, .burst = 0}, 8);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(buckets.take(0, "a"), 0);
  EXPECT_EQ(buckets.size(), 0u);
}

TEST(TokenBuckets, TheTableIsBounded) {
  TokenBuckets buckets({.per_second = 1, .burst = 1}, 8);
  for (int i = 0; i < 1000; ++i) buckets.take(0, std::to_string(i));
  EXPECT_EQ(buckets.size(), 8u);
  EXPECT_GT(buckets.take(0, "999"), 0) << "the latest are remembered";
}

}  // namespace
}  // namespace binnacle::store::access
