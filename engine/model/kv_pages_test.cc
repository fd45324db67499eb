#include "engine/model/kv_pages.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"

namespace binnacle::engine {
namespace {

Slice slice(SequenceId sequence, int32_t first, int32_t rows) {
  return {sequence, first, rows, {}};
}

Code code_of(const Status& status) { return status ? Code::kInternal : status.error().code; }

TEST(KvPages, GrowTruncateAndRelease) {
  KvPages pages(100, 1000);
  EXPECT_EQ(pages.usage().positions, 112);
  const std::vector<Slice> both = {slice(1, 0, 17), slice(2, 0, 3)};
  ASSERT_TRUE(pages.prepare(both));
  EXPECT_EQ(pages.at(1).pages.size(), 2u);
  EXPECT_EQ(pages.at(1).positions, 17);
  EXPECT_EQ(pages.usage().positions_used, 48);
  const std::vector<Slice> back = {slice(1, 4, 1)};
  ASSERT_TRUE(pages.prepare(back));
  EXPECT_EQ(pages.at(1).positions, 5);
  EXPECT_EQ(pages.usage().positions_used, 32);
  pages.release(1);
  pages.release(2);
  pages.release(3);
  EXPECT_EQ(pages.usage().positions_used, 0);
  EXPECT_EQ(pages.usage().sequences, 0);
}

TEST(KvPages, AnErrorChangesNothing) {
  KvPages pages(64, 50);
  const std::vector<Slice> first = {slice(1, 0, 20)};
  ASSERT_TRUE(pages.prepare(first));
  const auto refused = [&](std::vector<Slice> slices, Code code) {
    EXPECT_EQ(code_of(pages.prepare(slices)), code);
    EXPECT_EQ(pages.at(1).positions, 20);
    EXPECT_EQ(pages.usage().positions_used, 32);
    EXPECT_EQ(pages.usage().sequences, 1);
  };
  refused({slice(1, 5, 1), slice(2, 0, 50)}, Code::kResourceExhausted);
  refused({slice(1, 5, 1), slice(2, 1, 1)}, Code::kFailedPrecondition);
  refused({slice(1, 5, 1), slice(1, 6, 1)}, Code::kInvalidArgument);
  refused({slice(1, 5, 46)}, Code::kInvalidArgument);
  refused({slice(1, -1, 1)}, Code::kInvalidArgument);
  refused({slice(1, 5, 0)}, Code::kInvalidArgument);
}

TEST(KvPages, UndoLeavesWhatStoodBeforeTheSlices) {
  KvPages pages(64, 50);
  const std::vector<Slice> first = {slice(1, 0, 10)};
  ASSERT_TRUE(pages.prepare(first));
  const std::vector<Slice> more = {slice(1, 8, 20), slice(2, 0, 5)};
  ASSERT_TRUE(pages.prepare(more));
  pages.undo(more);
  EXPECT_EQ(pages.at(1).positions, 8);
  EXPECT_EQ(pages.usage().positions_used, 16);
  EXPECT_EQ(pages.usage().sequences, 1);
}

TEST(KvPages, NoPageBelongsToTwo) {
  SeededRandom random(1);
  KvPages pages(320, 200);
  for (int round = 0; round < 2000; ++round) {
    const SequenceId id = random.below(6);
    if (random.below(5) == 0) {
      pages.release(id);
      continue;
    }
    const auto first = static_cast<int32_t>(random.below(100));
    const std::vector<Slice> one = {slice(id, first, 1 + static_cast<int32_t>(random.below(60)))};
    (void)pages.prepare(one);
    std::multiset<int32_t> all;
    int64_t sequences = pages.usage().sequences;
    for (SequenceId other = 0; other < 6 && sequences > 0; ++other) {
      const std::vector<Slice> gap = {slice(other, 150, 1)};  // tells who is there, changes nothing
      const Status held = pages.prepare(gap);
      if (held || held.error().message.find("only 0 are") != std::string::npos) continue;
      for (const int32_t page : pages.at(other).pages) all.insert(page);
    }
    EXPECT_EQ(std::set<int32_t>(all.begin(), all.end()).size(), all.size());
    EXPECT_EQ(std::ssize(all) * KvPages::kPagePositions, pages.usage().positions_used);
  }
}

}  // namespace
}  // namespace binnacle::engine
