#include "store/metrics/store_room.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "store/metrics/store_test_run.h"

namespace binnacle::store::metrics {
namespace {

SizedBlock block(int64_t from_h, int64_t to_h, uint64_t bytes, int64_t resolution_ms = 0) {
  SizedBlock out{.meta = {}, .file_bytes = bytes};
  out.meta.min_ms = from_h * 3'600'000;
  out.meta.max_ms = to_h * 3'600'000;
  out.meta.resolution_ms = resolution_ms;
  return out;
}

TEST(StoreRoom, WithoutBlocksNothingIsKnown) {
  const StoreRoom room = store_room({}, 1000, 500);
  EXPECT_TRUE(std::isnan(room.days));
  EXPECT_EQ(room.free_bytes, 500u);
}

TEST(StoreRoom, TheLimitOrTheDiskWhicheverComesFirst) {
  const std::vector<SizedBlock> blocks = {block(0, 24, 100)};
  EXPECT_EQ(store_room(blocks, 1100, 5000).days, 10);
  EXPECT_EQ(store_room(blocks, 1100, 500).days, 5);
  EXPECT_EQ(store_room(blocks, 0, 5000).days, 50);
  EXPECT_EQ(store_room(blocks, 50, 5000).days, 0) << "more is used than the limit allows";
}

TEST(StoreRoom, TheNewestDaySetsTheRate) {
  const std::vector<SizedBlock> blocks = {block(0, 24, 9'000'000), block(24, 36, 100),
                                          block(36, 48, 300)};
  EXPECT_EQ(store_room(blocks, 0, 4000).days, 10);
}

TEST(StoreRoom, AFewHoursAreReckonedUp) {
  EXPECT_EQ(store_room(std::vector<SizedBlock>{block(0, 2, 100)}, 0, 2400).days, 2);
}

TEST(StoreRoom, TiersCount) {
  const std::vector<SizedBlock> blocks = {block(0, 24, 100), block(0, 24, 100, 300'000)};
  EXPECT_EQ(store_room(blocks, 0, 2000).days, 10);
}

TEST(StoreRoom, TheStoreTellsItsOwn) {
  StoreTestRun run;
  ASSERT_TRUE(run.open());
  const auto told = [&] {
    double seconds = -1;
    run.store->upkeep_once();
    run.registry.visit([&](std::string_view name, auto, double value) {
      if (name == "binnacle_store_room_seconds") seconds = value;
    });
    return seconds;
  };
  EXPECT_TRUE(std::isnan(told()));
  ASSERT_TRUE(put(*run.store, {{"__name__", "up"}}, run.start_ms, 1));
  ASSERT_TRUE(run.store->flush(4'000'000'000'000));
  run.files.set_capacity(1'000'000);
  const double much = told();
  EXPECT_GT(much, 0);
  run.files.set_capacity(500'000);
  EXPECT_LT(told(), much);
}

}  // namespace
}  // namespace binnacle::store::metrics
