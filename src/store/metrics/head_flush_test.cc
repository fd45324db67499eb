#include "store/metrics/head_flush.h"

#include <gtest/gtest.h>

#include "store/metrics/store_querier.h"
#include "store/metrics/store_test_run.h"

namespace binnacle::store::metrics {
namespace {

using Lines = std::vector<std::string>;

constexpr int64_t kFar = int64_t{1} << 60;

// A head, its commits and its blocks without the rest of a store.
class HeadFlushTest : public testing::Test, public model::Queryable {
 protected:
  void SetUp() override {
    ASSERT_TRUE(blocks_.open([] { return Status(); }));
  }

  Result<std::unique_ptr<model::Querier>> querier(int64_t min_ms, int64_t max_ms) override {
    return make_store_querier(head_, order_, blocks_, nullptr, min_ms, max_ms);
  }
  Lines all() { return dump(*this, {}, -kFar, kFar, start_ms_); }

  struct Put {
    model::Labels labels;
    int64_t at;
    double value;
  };
  // A commit that stays in flight.
  CommitNumber begin(const std::vector<Put>& puts) {
    const CommitNumber number = order_.begin();
    std::vector<PendingSample> batch;
    for (const Put& put : puts) {
      batch.push_back({batch.size(),
                       *head_.resolve(model::kNoSeries, put.labels),
                       {start_ms_ + put.at, put.value}});
    }
    EXPECT_EQ(head_.apply(batch, number, start_ms_).report.stored, puts.size());
    return number;
  }
  void commit(const std::vector<Put>& puts) { order_.end(begin(puts)); }
  void publish(HeadFlush& flush) {
    const auto made = flush.write(files_, "blocks", ++ulid_ms_, random_);
    ASSERT_TRUE(made);
    order_.note_cut(flush.upto());
    for (const BlockMeta& meta : *made) ASSERT_TRUE(blocks_.change({meta.ulid}, {}));
  }

  FaultFileSystem files_;
  SeededRandom random_{1};
  Head head_{StoreLimits{}};
  CommitOrder order_;
  BlockSet blocks_{files_, "blocks"};
  const int64_t start_ms_ = 1'700'000'000'000;
  int64_t ulid_ms_ = 1;
  const model::Labels a_ = {{"__name__", "a"}};
  const model::Labels b_ = {{"__name__", "b"}};
};

TEST_F(HeadFlushTest, NothingOfACommitThatIsNotWholeGoesIntoABlock) {
  for (int i = 0; i < 20; ++i) commit({{a_, i, 1.0 * i}, {b_, i, 1.0 * i}});
  Lines before = all();
  {
    HeadFlush flush(head_, order_, kFar, {});
    commit({{a_, 20, 20}});  // whole, and unknown to readers that came before it
    const CommitNumber in_flight = begin({{a_, 21, 21}, {b_, 21, 21}});
    before[0] += " 20@20";
    publish(flush);
    EXPECT_EQ(all(), before);
    flush.drop();
    EXPECT_EQ(all(), before);
    order_.end(in_flight);
  }
  const Lines after = {before[0] + " 21@21", before[1] + " 21@21"};
  EXPECT_EQ(all(), after);
  HeadFlush next(head_, order_, kFar, {});
  publish(next);
  next.drop();
  EXPECT_EQ(all(), after);
  EXPECT_GE(head_.oldest_ms(), start_ms_);
}

TEST_F(HeadFlushTest, NorLateSamplesOrSamplesBehindTheCut) {
  for (int i = 0; i < 40; ++i) commit({{a_, i * 10, 1.0 * i}, {b_, i * 10, 1.0 * i}});
  const Lines before = all();
  HeadFlush flush(head_, order_, start_ms_ + 1000, {});
  const CommitNumber in_flight = begin({{a_, 5, 7}, {b_, 900, 8}, {b_, 1100, 9}});
  publish(flush);
  EXPECT_EQ(all(), before);
  flush.drop();
  EXPECT_EQ(all(), before);
  order_.end(in_flight);
  Lines after = before;
  after[0].insert(after[0].find(" 1@10"), " 7@5");
  after[1] += " 8@900 9@1100";
  EXPECT_EQ(all(), after);
}

TEST(CommitOrder, ACutIsBehindTheSnapshotsThatDoNotKnowItsCommits) {
  CommitOrder order;
  const CommitNumber before = order.snapshot();
  EXPECT_FALSE(order.cut_behind(before));
  const CommitNumber first = order.begin();
  order.end(first);
  order.note_cut(first);
  EXPECT_TRUE(order.cut_behind(before));
  EXPECT_FALSE(order.cut_behind(order.snapshot()));
}

}  // namespace
}  // namespace binnacle::store::metrics
