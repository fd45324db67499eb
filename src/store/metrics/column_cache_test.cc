#include "store/metrics/column_cache.h"

#include <gtest/gtest.h>

namespace binnacle::store::metrics {
namespace {

CacheKey key(uint64_t number) { return {1, CachedKind::kValueColumn, number}; }
ColumnCache::Column column(double value) {
  return std::make_shared<const std::vector<double>>(ColumnCache::kFewestSamples, value);
}
constexpr size_t kColumnBytes = ColumnCache::kFewestSamples * sizeof(double);

TEST(ColumnCacheTest, AColumnIsWantedWhenItIsAskedForAgain) {
  ColumnCache cache(size_t{1} << 20);
  EXPECT_FALSE(cache.find(key(7)).wanted);
  EXPECT_FALSE(cache.find(key(8)).wanted);
  const auto again = cache.find(key(7));
  EXPECT_TRUE(again.wanted);
  EXPECT_EQ(again.column, nullptr);
  cache.put(key(7), column(1.5));
  ASSERT_NE(cache.find(key(7)).column, nullptr);
  EXPECT_EQ(cache.find(key(7)).column->front(), 1.5);
  EXPECT_EQ(cache.bytes(), kColumnBytes);
}

TEST(ColumnCacheTest, HoldsNoMoreThanItsBytes) {
  constexpr size_t kMost = 64 * kColumnBytes;
  ColumnCache cache(kMost);
  for (uint64_t i = 0; i < 1000; ++i) cache.put(key(i), column(1));
  EXPECT_LE(cache.bytes(), kMost);
  EXPECT_GE(cache.bytes(), kMost / 2);
  cache.set_max_bytes(kMost / 2);
  EXPECT_LE(cache.bytes(), kMost / 2);
  cache.set_max_bytes(0);
  EXPECT_EQ(cache.bytes(), 0u);
  EXPECT_FALSE(cache.find(key(1)).wanted);
  EXPECT_FALSE(cache.find(key(1)).wanted);
}

}  // namespace
}  // namespace binnacle::store::metrics
