#include "store/metrics/tier_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace binnacle::store::metrics {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kFine = 300'000;
constexpr int64_t kCoarse = kHourMs;
constexpr int64_t kFarMs = INT64_MAX;

BlockMeta raw(std::string ulid, int64_t from_h, int64_t to_h, std::vector<std::string> sources,
              int level = 1) {
  BlockMeta meta;
  meta.ulid = std::move(ulid);
  meta.min_ms = from_h * kHourMs;
  meta.max_ms = to_h * kHourMs;
  meta.sources = std::move(sources);
  meta.level = level;
  return meta;
}

BlockMeta tier(std::string ulid, int64_t from_h, int64_t to_h, std::vector<std::string> sources,
               int64_t resolution_ms = kFine) {
  BlockMeta meta = raw(std::move(ulid), from_h, to_h, std::move(sources));
  meta.resolution_ms = resolution_ms;
  return meta;
}

std::vector<std::string> plan(const std::vector<BlockMeta>& blocks, int64_t now_h,
                              std::vector<int64_t> resolutions = {kFine}) {
  std::vector<std::string> out;
  for (const TierWork& work : plan_tiers(blocks, resolutions, now_h * kHourMs)) {
    std::string line = work.raw + "/" + std::to_string(work.resolution_ms / 60'000);
    for (const std::string& one : work.replaces) line += " instead of " + one;
    out.push_back(line);
  }
  return out;
}

TEST(TierPlan, ABlockGetsItsTiersWhenItIsMergedOrOld) {
  EXPECT_THAT(plan({raw("A", 0, 2, {"A"})}, 7), IsEmpty());
  EXPECT_THAT(plan({raw("A", 0, 2, {"A"})}, 8), ElementsAre("A/5"));
  EXPECT_THAT(plan({raw("A", 0, 6, {"1", "2"}, 2)}, 7), ElementsAre("A/5"));
  EXPECT_THAT(plan({raw("B", 2, 4, {"B"}), raw("A", 0, 2, {"A"})}, 100, {kFine, kCoarse}),
              ElementsAre("A/5", "A/60", "B/5", "B/60"));
}

TEST(TierPlan, WhatHasItsTierGetsNoOther) {
  EXPECT_THAT(plan({raw("A", 0, 2, {"A"}), tier("T", 0, 2, {"A"})}, 100), IsEmpty());
  EXPECT_THAT(plan({raw("A", 0, 2, {"A"}), tier("T", 0, 2, {"A"})}, 100, {kCoarse}),
              ElementsAre("A/60"));
  // Merged since; the tiers of its parts are all there.
  EXPECT_THAT(
      plan({raw("C", 0, 4, {"A", "B"}, 2), tier("T", 0, 2, {"A"}), tier("U", 2, 4, {"B"})}, 100),
      IsEmpty());
}

TEST(TierPlan, LateSamplesThatWereMergedInMakeANewTierInsteadOfTheOld) {
  EXPECT_THAT(plan({raw("D", 0, 2, {"A", "L"}, 2), tier("T", 0, 2, {"A"})}, 100),
              ElementsAre("D/5 instead of T"));
  // A tier that holds more than the block stays.
  EXPECT_THAT(plan({raw("D", 0, 2, {"A", "L"}, 2), tier("T", 0, 4, {"A", "B"})}, 100),
              ElementsAre("D/5"));
}

TEST(TierPlan, BlocksThatCutAWindowAreLeftOut) {
  BlockMeta odd = raw("A", 0, 2, {"A"});
  odd.min_ms += 60'000;
  EXPECT_THAT(plan({odd}, 100), IsEmpty());
}

TEST(UsableTiers, TheCoarsestThatIsFineEnough) {
  const std::vector<BlockMeta> blocks = {raw("A", 0, 2, {"A"}), tier("F", 0, 2, {"A"}),
                                         tier("H", 0, 2, {"A"}, kCoarse)};
  EXPECT_THAT(usable_tiers(blocks, kFine - 1, kFarMs), IsEmpty());
  EXPECT_THAT(usable_tiers(blocks, kFine, kFarMs), ElementsAre("F"));
  EXPECT_THAT(usable_tiers(blocks, 10 * kHourMs, kFarMs), ElementsAre("H"));
}

TEST(UsableTiers, NotOfWhatTheHeadOrABlockHoldsMoreOf) {
  std::vector<BlockMeta> blocks = {raw("A", 0, 2, {"A"}), tier("T", 0, 2, {"A"}),
                                   raw("B", 2, 4, {"B"}), tier("U", 2, 4, {"B"})};
  EXPECT_THAT(usable_tiers(blocks, kFine, 4 * kHourMs), ElementsAre("T", "U"));
  EXPECT_THAT(usable_tiers(blocks, kFine, 4 * kHourMs - 1), ElementsAre("T"));
  blocks.push_back(raw("L", 0, 2, {"L"}));  // late samples
  EXPECT_THAT(usable_tiers(blocks, kFine, kFarMs), ElementsAre("U"));
}

TEST(UsableTiers, OfWhatIsLeftWhenTheRawBlocksAreGone) {
  EXPECT_THAT(usable_tiers(std::vector<BlockMeta>{tier("T", 0, 2, {"A"})}, kFine, kFarMs),
              ElementsAre("T"));
}

}  // namespace
}  // namespace binnacle::store::metrics
