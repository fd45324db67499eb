#include "collect/receive/series_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace binnacle::collect::receive {
namespace {

class SeriesCacheTest : public ::testing::Test {
 protected:
  static std::string label_bytes(size_t i) { return "series " + std::to_string(i); }
  SeriesKey key(size_t i) const { return cache_.key_of(label_bytes(i)); }
  model::SeriesRef find(size_t i) {
    const std::string bytes = label_bytes(i);
    const std::string_view wanted = bytes;
    SeriesKey found;
    model::SeriesRef ref = 99;
    cache_.find({&wanted, 1}, {&found, 1}, {&ref, 1});
    EXPECT_EQ(found.place, key(i).place);
    return ref;
  }

  SeededRandom random_{7};
  SeriesCache cache_{200'000, random_};
};

TEST_F(SeriesCacheTest, KnowsWhatWasInsertedAndNothingElse) {
  EXPECT_EQ(find(1), model::kNoSeries);
  cache_.insert(key(1), 11);
  EXPECT_EQ(find(1), 11u);
  EXPECT_EQ(find(2), model::kNoSeries);
  cache_.insert(key(1), 12);
  EXPECT_EQ(find(1), 12u);
  EXPECT_EQ(cache_.size(), 1u);
}

TEST_F(SeriesCacheTest, KeysDependOnTheSecret) {
  SeededRandom other_random(8);
  const SeriesCache other(1, other_random);
  EXPECT_NE(other.key_of("a").place, cache_.key_of("a").place);
  SeededRandom same_random(7);
  const SeriesCache same(1, same_random);
  EXPECT_EQ(same.key_of("a").place, cache_.key_of("a").place);
}

TEST_F(SeriesCacheTest, GrowsWithinFortyBytesASeries) {
  constexpr size_t kCount = 150'000;
  std::vector<std::string> all;
  for (size_t i = 0; i < kCount; ++i) {
    all.push_back(label_bytes(i));
    cache_.insert(key(i), i + 1);
    if (i >= 10'000) ASSERT_LE(cache_.memory_bytes(), 40 * cache_.size()) << i;
  }
  EXPECT_EQ(cache_.size(), kCount);
  std::vector<model::SeriesRef> refs(kCount);
  std::vector<SeriesKey> keys(kCount);
  cache_.find(std::vector<std::string_view>(all.begin(), all.end()), keys, refs);
  for (size_t i = 0; i < kCount; ++i) ASSERT_EQ(refs[i], i + 1);
}

TEST_F(SeriesCacheTest, DropsWhatWasNotUsedForSomeGenerations) {
  for (size_t i = 0; i < 1000; ++i) cache_.insert(key(i), i + 1);
  for (int generation = 1; generation < SeriesCache::kKeptGenerations; ++generation) {
    cache_.age();
    EXPECT_EQ(find(5), 6u);
  }
  EXPECT_EQ(cache_.size(), 1000u);
  cache_.age();
  EXPECT_EQ(cache_.size(), 1u);
  EXPECT_EQ(find(5), 6u);
  EXPECT_EQ(find(6), model::kNoSeries);
  for (int generation = 0; generation < SeriesCache::kKeptGenerations; ++generation) cache_.age();
  EXPECT_EQ(cache_.size(), 0u);
  EXPECT_LT(cache_.memory_bytes(), 10'000u);
}

// The generation is one byte: what is in use outlives every turn of it.
TEST_F(SeriesCacheTest, KeepsWhatIsUsedWhileGenerationsGoRound) {
  cache_.insert(key(1), 11);
  for (int generation = 0; generation < 600; ++generation) {
    cache_.age();
    ASSERT_EQ(find(1), 11u) << generation;
  }
}

TEST_F(SeriesCacheTest, AFullCacheTakesNoMoreButReplaces) {
  cache_.set_max_series(2);
  cache_.insert(key(1), 1);
  cache_.insert(key(2), 2);
  cache_.insert(key(3), 3);
  EXPECT_EQ(find(3), model::kNoSeries);
  cache_.insert(key(2), 22);
  EXPECT_EQ(find(2), 22u);
}

TEST_F(SeriesCacheTest, IsReadFilledAndAgedAtTheSameTime) {
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (size_t i = 0; i < 3000; ++i) {
        const size_t which = i % 500;
        const model::SeriesRef found = find(which);
        ASSERT_TRUE(found == model::kNoSeries || found == which + 1);
        if (found == model::kNoSeries) cache_.insert(key(which), which + 1);
        if (t == 0 && i % 100 == 0) cache_.age();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace binnacle::collect::receive
