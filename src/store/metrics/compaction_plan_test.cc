#include "store/metrics/compaction_plan.h"

#include <gtest/gtest.h>

namespace binnacle::store::metrics {
namespace {

using Groups = std::vector<std::vector<std::string>>;

BlockMeta block(std::string ulid, int64_t min_ms, int64_t max_ms) {
  BlockMeta meta;
  meta.ulid = std::move(ulid);
  meta.min_ms = min_ms;
  meta.max_ms = max_ms;
  return meta;
}

struct PlanCase {
  const char* what;
  std::vector<BlockMeta> blocks;
  Groups wanted;
};

TEST(CompactionPlanTest, Table) {
  const CompactionOptions options{.ranges_ms = {20, 60, 180}};
  const std::vector<PlanCase> cases = {
      {"nothing", {}, {}},
      {"one block", {block("a", 0, 20)}, {}},
      {"a range that is not full and may still grow", {block("a", 0, 20), block("b", 20, 40)}, {}},
      {"a full range without a later block",
       {block("a", 0, 20), block("b", 20, 40), block("c", 40, 60)},
       {}},
      {"a full range",
       {block("a", 0, 20), block("b", 20, 40), block("c", 40, 60), block("d", 60, 80)},
       {{"a", "b", "c"}}},
      {"a range with a gap",
       {block("a", 0, 20), block("c", 40, 60), block("d", 60, 80)},
       {{"a", "c"}}},
      {"across a boundary",
       {block("b", 40, 60), block("c", 60, 80), block("d", 180, 200)},
       {{"b", "c"}}},
      {"the larger range waits for the smaller",
       {block("a", 0, 60), block("b", 60, 80), block("c", 80, 100), block("d", 180, 200)},
       {{"b", "c"}}},
      {"the larger range",
       {block("a", 0, 60), block("b", 60, 120), block("c", 120, 180), block("d", 180, 200)},
       {{"a", "b", "c"}}},
      {"the largest range is the end", {block("a", 0, 180), block("b", 180, 360)}, {}},
      {"overlaps first, also of the newest",
       {block("a", 0, 20), block("b", 20, 40), block("c", 30, 40), block("d", 39, 60)},
       {{"b", "c", "d"}}},
      {"a block within another",
       {block("a", 0, 60), block("b", 10, 20), block("c", 60, 80)},
       {{"a", "b"}}},
      {"touching is not overlapping", {block("a", 0, 20), block("b", 20, 40)}, {}},
      {"times before 1970",
       {block("a", -60, -40), block("b", -40, -20), block("c", 0, 20)},
       {{"a", "b"}}},
      {"a block that lies across a range's end is left alone",
       {block("a", 0, 20), block("b", 50, 70), block("c", 180, 200)},
       {{"a", "b"}}},
  };
  for (const PlanCase& one : cases)
    EXPECT_EQ(plan_compactions(one.blocks, options, 1000), one.wanted) << one.what;
}

TEST(CompactionPlanTest, DifferentKindsAreNotPutTogether) {
  std::vector<BlockMeta> blocks = {block("a", 0, 20), block("b", 10, 20), block("c", 10, 20),
                                   block("d", 10, 20)};
  blocks[1].resolution_ms = 5;
  blocks[2].cluster = "other";
  blocks[3].external_labels = {{"x", "y"}};
  EXPECT_EQ(plan_compactions(blocks, {.ranges_ms = {20, 60}}, 1000), Groups{});
}

TEST(CompactionPlanTest, ABlockOfTheFutureDoesNotEndARange) {
  const std::vector<BlockMeta> blocks = {block("a", 0, 20), block("b", 20, 40),
                                         block("c", 500, 520)};
  EXPECT_EQ(plan_compactions(blocks, {.ranges_ms = {20, 60}}, 50), Groups{});
  EXPECT_EQ(plan_compactions(blocks, {.ranges_ms = {20, 60}}, 60), (Groups{{"a", "b"}}));
}

TEST(CompactionPlanTest, RangesGrowByThree) {
  EXPECT_EQ(compaction_ranges(2, 60), (std::vector<int64_t>{2, 6, 18, 54}));
  EXPECT_EQ(compaction_ranges(2, 1), (std::vector<int64_t>{2}));
}

TEST(RetentionPlanTest, DeletesByAgeThenBySize) {
  const std::vector<SizedBlock> blocks = {
      {block("c", 40, 60), 10}, {block("a", 0, 20), 10}, {block("b", 20, 40), 10}};
  using Ulids = std::vector<std::string>;
  EXPECT_EQ(plan_retention(blocks, {}, 1000), Ulids{});
  EXPECT_EQ(plan_retention(blocks, {.max_age_ms = 60}, 100), (Ulids{"a", "b"}));
  EXPECT_EQ(plan_retention(blocks, {.max_age_ms = 61}, 100), (Ulids{"a"}));
  EXPECT_EQ(plan_retention(blocks, {.max_bytes = 30}, 100), Ulids{});
  EXPECT_EQ(plan_retention(blocks, {.max_bytes = 29}, 100), (Ulids{"a"}));
  EXPECT_EQ(plan_retention(blocks, {.max_age_ms = 61, .max_bytes = 15}, 100), (Ulids{"a", "b"}));
}

}  // namespace
}  // namespace binnacle::store::metrics
