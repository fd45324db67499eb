#include "store/metrics/compactor.h"

#include <gtest/gtest.h>

#include "base/fault_file_system.h"
#include "store/metrics/block_folder.h"
#include "store/metrics/testing/block_data.h"
#include "store/metrics/tombstones.h"

namespace binnacle::store::metrics {
namespace {

using testing::TestData;

using BlockPtr = std::shared_ptr<const Block>;

// The naive merge: a map from time to value for each series, later blocks written over earlier.
TestData naive_merge(const std::vector<TestData>& oldest_first) {
  std::map<model::Labels, std::map<int64_t, double>, testing::LabelOrder> all;
  for (const TestData& data : oldest_first) {
    for (const auto& [labels, series] : data) {
      for (size_t i = 0; i < series.times_ms.size(); ++i)
        all[labels][series.times_ms[i]] = series.values[i];
    }
  }
  TestData out;
  for (const auto& [labels, samples] : all) {
    for (const auto& [time_ms, value] : samples) {
      out[labels].times_ms.push_back(time_ms);
      out[labels].values.push_back(value);
    }
  }
  return out;
}

class CompactorTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(files_.create_directories("/blocks")); }

  BlockPtr write(const TestData& data, uint64_t seed) {
    const auto meta = testing::write_block(files_, "/blocks", data, testing::test_meta(seed));
    EXPECT_TRUE(meta) << meta.error().message;
    return *Block::open(files_, "/blocks/" + meta->ulid);
  }
  BlockPtr open(const BlockMeta& meta) { return *Block::open(files_, "/blocks/" + meta.ulid); }

  FaultFileSystem files_;
};

TEST_F(CompactorTest, TheResultHoldsTheMergeOfItsInputs) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    std::vector<TestData> inputs;
    std::vector<BlockPtr> blocks;
    for (uint64_t i = 0; i < 2 + seed % 3; ++i) {
      // The seed of the data decides labels and offsets; starts overlap or not.
      inputs.push_back(testing::make_test_data(
          {.nodes = 2 + static_cast<int>(random.below(3)),
           .samples = 20,
           .start_ms = 1'700'000'000'000 + static_cast<int64_t>(random.below(40)) * 15'000,
           .seed = 1 + random.below(2)}));
      blocks.push_back(write(inputs.back(), seed * 100 + i));
    }
    std::ranges::reverse(blocks);  // the order they are given in says nothing
    const auto meta =
        merge_blocks(files_, "/blocks", blocks, testing::test_meta(seed * 100 + 50).ulid, {});
    ASSERT_TRUE(meta) << meta.error().message;
    const BlockPtr merged = open(*meta);
    ASSERT_EQ(testing::difference(*merged, naive_merge(inputs)), "") << seed;
    ASSERT_TRUE(merged->verify());
    EXPECT_EQ(meta->level, 2);
    EXPECT_EQ(meta->parents.size(), blocks.size());
    EXPECT_EQ(meta->sources.size(), blocks.size());
  }
}

TEST_F(CompactorTest, TombstonesAreCarriedOut) {
  TestData data = testing::make_test_data({.nodes = 2, .samples = 10});
  const BlockPtr block = write(data, 1);
  const Tombstone deleted[] = {{0, INT64_MIN, INT64_MAX}, {1, 0, data.begin()->second.times_ms[0]}};
  ASSERT_TRUE(add_tombstones(files_, block->folder(), kDefaultFormat, deleted));
  const BlockPtr reopened = *Block::open(files_, block->folder());
  data.erase(data.begin());
  const auto meta =
      merge_blocks(files_, "/blocks", std::vector{reopened}, testing::test_meta(2).ulid, {});
  ASSERT_TRUE(meta);
  auto& first = data.begin()->second;
  while (!first.times_ms.empty() && first.times_ms[0] <= deleted[1].max_ms) {
    first.times_ms.erase(first.times_ms.begin());
    first.values.erase(first.values.begin());
  }
  EXPECT_EQ(testing::difference(*open(*meta), data), "");
}

TEST_F(CompactorTest, ACancelledMergeLeavesNothing) {
  const BlockPtr block = write(testing::make_test_data({.nodes = 2, .samples = 3}), 1);
  int left = 5;
  const auto merged =
      merge_blocks(files_, "/blocks", std::vector{block}, testing::test_meta(2).ulid,
                   {.write = {}, .cancelled = [&] { return --left == 0; }});
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, Code::kCancelled);
  EXPECT_EQ(files_.list("/blocks")->size(), 1u);
}

// The power fails after each change in turn: at the next start there are the old blocks, or the new
// one whole, and it names those that it replaces.
TEST_F(CompactorTest, APowerCutLeavesOldOrNewAndNothingBetween) {
  const TestData first = testing::make_test_data({.nodes = 1, .samples = 4});
  const TestData second = testing::make_test_data({.nodes = 1, .samples = 4, .seed = 2});
  const TestData both = naive_merge({first, second});
  for (const Crash kind : {Crash::kKill, Crash::kPowerCut, Crash::kTornPower}) {
    bool finished = false;
    for (uint64_t step = 0; !finished; ++step) {
      FaultFileSystem files(step);
      ASSERT_TRUE(files.create_directories("/blocks"));
      std::vector<BlockPtr> blocks;
      for (const auto& [data, seed] : {std::pair(&first, 1u), {&second, 2u}}) {
        const auto meta = testing::write_block(files, "/blocks", *data, testing::test_meta(seed));
        blocks.push_back(*Block::open(files, "/blocks/" + meta->ulid));
      }
      files.power_off_after(step);
      const auto merged = merge_blocks(files, "/blocks", blocks, testing::test_meta(3).ulid, {});
      bool removed = merged.has_value();
      for (const auto& block : blocks)
        removed = removed && remove_block(files, "/blocks", block->meta().ulid);
      finished = removed;
      files.crash(kind);

      ASSERT_TRUE(remove_unfinished(files, "/blocks"));
      std::vector<BlockMeta> metas;
      const auto names = list_blocks(files, "/blocks");
      ASSERT_TRUE(names);
      for (const std::string& ulid : *names)
        metas.push_back(*read_block_meta(files, "/blocks/" + ulid));
      for (const std::string& ulid : find_superseded(metas))
        ASSERT_TRUE(remove_block(files, "/blocks", ulid));
      const auto left = list_blocks(files, "/blocks");
      ASSERT_TRUE(left->size() == 1 || left->size() == 2) << step;
      if (merged) ASSERT_EQ(left->size(), 1u);
      for (const std::string& ulid : *left) {
        const auto opened = Block::open(files, "/blocks/" + ulid);
        ASSERT_TRUE(opened) << opened.error().message << " step " << step;
        const TestData& wanted = left->size() == 1                ? both
                                 : ulid == blocks[0]->meta().ulid ? first
                                                                  : second;
        ASSERT_EQ(testing::difference(**opened, wanted), "");
      }
    }
  }
}

// Each call of each kind fails in turn: an error, no block, and the next try succeeds.
TEST_F(CompactorTest, AFailedWriteLeavesNoBlock) {
  const TestData data = testing::make_test_data({.nodes = 1, .samples = 4});
  for (const FileOp op : {FileOp::kOpenWrite, FileOp::kWrite, FileOp::kSync, FileOp::kSyncDir,
                          FileOp::kRename, FileOp::kCreateDirectories}) {
    for (uint64_t nth = 1;; ++nth) {
      FaultFileSystem files(nth);
      ASSERT_TRUE(files.create_directories("/blocks"));
      files.inject({.op = op, .nth = nth, .error_number = 28});
      const auto meta = testing::write_block(files, "/blocks", data, testing::test_meta());
      if (files.faults_left() > 0) {
        ASSERT_GT(nth, 1u);
        break;
      }
      ASSERT_FALSE(meta) << static_cast<int>(op) << " " << nth;
      EXPECT_TRUE(list_blocks(files, "/blocks")->empty());
      const auto again = testing::write_block(files, "/blocks", data, testing::test_meta());
      ASSERT_TRUE(again) << again.error().message;
      EXPECT_EQ(testing::difference(**Block::open(files, "/blocks/" + again->ulid), data), "");
    }
  }
}

}  // namespace
}  // namespace binnacle::store::metrics
