#include "store/metrics/read_cache.h"

#include <gtest/gtest.h>

namespace binnacle::store::metrics {
namespace {

TEST(ReadCacheTest, KeepsWhatWasUsedLastWithinItsBytes) {
  ReadCache cache(100);
  const auto key = [](uint64_t number) { return CacheKey{1, CachedKind::kColumnPage, number}; };
  for (const int number : {1, 2, 3})
    cache.put(key(static_cast<uint64_t>(number)), std::make_shared<const int>(number), 30);
  ASSERT_TRUE(cache.find<int>(key(1)));  // now newer than 2
  cache.put(key(4), std::make_shared<const int>(4), 30);
  EXPECT_FALSE(cache.find<int>(key(2)));
  EXPECT_EQ(*cache.find<int>(key(1)), 1);
  EXPECT_EQ(*cache.find<int>(key(4)), 4);
  EXPECT_EQ(cache.bytes(), 90u);
  cache.put(key(5), std::make_shared<const int>(5), 101);  // would push all others out
  EXPECT_FALSE(cache.find<int>(key(5)));
  EXPECT_EQ(cache.bytes(), 90u);
}

TEST(ReadCacheTest, BlocksAndKindsAreApart) {
  ReadCache cache(100);
  cache.put({1, CachedKind::kTimesPage, 7}, std::make_shared<const int>(1), 1);
  EXPECT_FALSE(cache.find<int>({2, CachedKind::kTimesPage, 7}));
  EXPECT_FALSE(cache.find<int>({1, CachedKind::kValuesPage, 7}));
  EXPECT_NE(next_cache_owner(), next_cache_owner());
}

}  // namespace
}  // namespace binnacle::store::metrics
