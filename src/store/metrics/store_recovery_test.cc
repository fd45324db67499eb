// What two or more failures, or a failure and a deletion, do to a metric store: cases that were
// found by thinking, each small enough to be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <thread>

#include <fmt/format.h>

#include "store/metrics/store_test_run.h"

namespace binnacle::store::metrics {
namespace {

using model::Labels;
using model::Matcher;
using model::MatchOp;
using testing::HasSubstr;
using testing::SizeIs;

using Lines = std::vector<std::string>;

constexpr int64_t kFar = int64_t{1} << 60;
constexpr int64_t kHourMs = 3'600'000;

class StoreRecoveryTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(run_.open()); }

  Status put_at(const Labels& labels, int64_t at, double value) {
    return put(*run_.store, labels, run_.start_ms + at, value);
  }
  Lines all() { return dump(*run_.store, {}, -kFar, kFar, run_.start_ms); }
  void fail_lasting(FileOp op, std::string path_part) {
    run_.files.inject({.op = op, .path_part = std::move(path_part), .lasting = true});
  }
  void reopen_after(Crash kind) {
    run_.files.clear_faults();
    run_.crash(kind);
    ASSERT_TRUE(run_.open());
  }
  static Labels numbered(int n) { return {{"__name__", "x"}, {"n", fmt::format("{:03}", n)}}; }
  static model::Matchers name_is(std::string name) {
    return {*Matcher::create(MatchOp::kEqual, "__name__", std::move(name))};
  }

  StoreTestRun run_;
  const Labels a_ = {{"__name__", "up"}, {"job", "a"}};
  const Labels b_ = {{"__name__", "up"}, {"job", "b"}};
};

// The log then names a series under two references.
TEST_F(StoreRecoveryTest, ASeriesThatWasForgottenAndCameBackIsOneSeriesAfterACrash) {
  constexpr int kSeries = 100;
  for (int n = 0; n < kSeries; ++n) ASSERT_TRUE(put_at(numbered(n), 0, n));
  fail_lasting(FileOp::kRename, "snapshots");
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(run_.store->flush(kFar));
  EXPECT_EQ(run_.store->status().series, 0u);
  for (int n = 0; n < kSeries; n += 3) ASSERT_TRUE(put_at(numbered(n), 1, n));
  const Lines before = all();
  EXPECT_THAT(before, SizeIs(kSeries));
  reopen_after(Crash::kKill);
  EXPECT_EQ(all(), before);
  EXPECT_TRUE(run_.store->flush(kFar));
  EXPECT_EQ(all(), before);
}

TEST_F(StoreRecoveryTest, ALoadThatIsCalledOffLosesNothing) {
  ASSERT_TRUE(put_at(a_, 0, 1));
  ASSERT_TRUE(run_.store->flush(kFar));
  ASSERT_TRUE(put_at(a_, 1, 2));
  const Lines before = all();
  run_.crash(Crash::kKill);
  StoreProgress progress;
  progress.cancelled = true;
  const auto opened = MetricStore::open("data", run_.options_, run_.files, run_.clock, run_.random,
                                        run_.registry, &progress);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kCancelled);
  ASSERT_TRUE(run_.open());
  EXPECT_EQ(all(), before);
}

// A block that is written anew without its deletions keeps its place: of two blocks with a sample
// at one time the one that was cut later holds.
TEST_F(StoreRecoveryTest, ACleanedBlockDoesNotWinOverALaterOne) {
  StoreOptions options = run_.options_;
  options.limits.last_value_wins = true;
  run_.store->set_options(options);
  ASSERT_TRUE(put_at(a_, 0, 1));
  ASSERT_TRUE(put_at(b_, 0, 1));
  ASSERT_TRUE(run_.store->flush(kFar));
  ASSERT_TRUE(
      run_.store->delete_series({*Matcher::create(MatchOp::kEqual, "job", "b")}, -kFar, kFar));
  ASSERT_TRUE(put_at(a_, 0, 2));
  // The cut succeeds and the merge of the two does not.
  run_.files.inject({.op = FileOp::kOpenWrite, .nth = 2, .path_part = "columns", .lasting = true});
  EXPECT_FALSE(run_.store->flush(kFar));
  run_.files.clear_faults();
  ASSERT_EQ(run_.store->status().blocks, 2u);
  ASSERT_TRUE(run_.store->clean_tombstones());
  EXPECT_EQ(all(), Lines{R"(up{job="a"} 2@0)"});
  reopen_after(Crash::kPowerCut);
  EXPECT_EQ(all(), Lines{R"(up{job="a"} 2@0)"});
}

TEST_F(StoreRecoveryTest, DeletedSamplesOfAForgottenSeriesStayAwayThoughTheLogHasThem) {
  ASSERT_TRUE(put_at(a_, 0, 1));
  fail_lasting(FileOp::kRename, "snapshots");
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(run_.store->flush(kFar));
  EXPECT_EQ(run_.store->status().series, 0u);
  EXPECT_FALSE(run_.store->delete_series(name_is("up"), -kFar, kFar));
  run_.files.clear_faults();
  ASSERT_TRUE(run_.store->delete_series(name_is("up"), -kFar, kFar));
  EXPECT_EQ(all(), Lines{});
  reopen_after(Crash::kPowerCut);
  EXPECT_EQ(all(), Lines{});
}

// A block that was written but not taken in must be gone before anything is deleted.
TEST_F(StoreRecoveryTest, ABlockOfAFailedFlushDoesNotBringBackWhatWasDeletedSince) {
  for (const FileOp op : {FileOp::kMap, FileOp::kOpenRead, FileOp::kRead, FileOp::kOpenWrite}) {
    SCOPED_TRACE(static_cast<int>(op));
    ASSERT_TRUE(put_at(a_, -5 * kHourMs, 1));
    ASSERT_TRUE(put_at(b_, 0, 1));
    // The second block's columns, or what reads the first one.
    run_.files.inject({.op = op,
                       .nth = op == FileOp::kOpenWrite ? 2u : 1u,
                       .path_part = op == FileOp::kOpenWrite ? "/index" : "blocks/",
                       .lasting = true});
    (void)run_.store->flush(kFar);
    run_.files.clear_faults();
    ASSERT_TRUE(run_.store->delete_series(name_is("up"), -kFar, kFar));
    EXPECT_EQ(all(), Lines{});
    reopen_after(Crash::kPowerCut);
    ASSERT_EQ(all(), Lines{});
  }
}

TEST_F(StoreRecoveryTest, AMergedBlockThatWasNotTakenInDoesNotBringBackWhatWasDeletedSince) {
  ASSERT_TRUE(put_at(a_, 0, 1));
  ASSERT_TRUE(run_.store->flush(kFar));
  ASSERT_TRUE(put_at(a_, 1, 2));
  run_.files.inject({.op = FileOp::kMap, .nth = 3, .path_part = "blocks/", .lasting = true});
  EXPECT_FALSE(run_.store->flush(kFar));
  run_.files.clear_faults();
  ASSERT_TRUE(run_.store->flush(kFar));
  ASSERT_TRUE(run_.store->delete_series(name_is("up"), -kFar, kFar));
  reopen_after(Crash::kPowerCut);
  EXPECT_EQ(all(), Lines{});
}

// The merged block is there, the removal of its parents failed, then it is merged itself.
TEST_F(StoreRecoveryTest, AParentThatCouldNotBeRemovedDoesNotComeBack) {
  ASSERT_TRUE(put_at(a_, 0, 1));
  ASSERT_TRUE(run_.store->flush(kFar));
  ASSERT_TRUE(put_at(a_, 1, 2));
  fail_lasting(FileOp::kRename, "blocks/");
  run_.files.clear_faults();
  run_.files.inject({.op = FileOp::kSyncDir, .nth = 5, .path_part = "blocks", .lasting = true});
  (void)run_.store->flush(kFar);
  run_.files.clear_faults();
  ASSERT_TRUE(put_at(a_, 2, 3));
  ASSERT_TRUE(run_.store->flush(kFar));
  ASSERT_TRUE(run_.store->delete_series(name_is("up"), run_.start_ms, run_.start_ms));
  const Lines before = all();
  EXPECT_EQ(before, (Lines{R"(up{job="a"} 2@1 3@2)"}));
  reopen_after(Crash::kPowerCut);
  EXPECT_EQ(all(), before);
}

TEST_F(StoreRecoveryTest, AfterADeletionALateSampleKeepsItsTime) {
  ASSERT_TRUE(put_at(a_, 100, 1));
  ASSERT_TRUE(put_at(a_, 50, 2));
  ASSERT_TRUE(run_.store->delete_series(name_is("up"), run_.start_ms + 90, run_.start_ms + 110));
  EXPECT_EQ(put_at(a_, 50, 3).error().code, Code::kAlreadyExists);
  ASSERT_TRUE(put_at(a_, 40, 4));
  ASSERT_TRUE(put_at(a_, 60, 5));
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 4@40 2@50 5@60)"}));
  reopen_after(Crash::kPowerCut);
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 4@40 2@50 5@60)"}));
}

// Nine times 8 MiB is more than a record of the log may hold.
TEST_F(StoreRecoveryTest, LongLabelsOfManySeriesFitTheLogAndTheSnapshot) {
  const std::string pad(8'000'000, 'x');
  auto appender = run_.store->appender();
  for (int n = 0; n < 9; ++n) {
    const Labels labels = {{"__name__", "x"}, {"n", std::to_string(n)}, {"pad", pad}};
    ASSERT_TRUE(appender->append(model::kNoSeries, labels, {run_.start_ms, 1}));
  }
  ASSERT_TRUE(appender->commit());
  appender.reset();
  reopen_after(Crash::kPowerCut);
  EXPECT_EQ(run_.store->status().series, 9u);
  run_.close();
  ASSERT_TRUE(run_.open());
  EXPECT_EQ(run_.store->status().series, 9u);
  EXPECT_EQ(run_.store->status().replayed_samples, 0u);
}

// A block is set aside for what it holds, not because the disk was out of breath.
TEST_F(StoreRecoveryTest, AReadErrorAtTheStartSetsNoBlockAside) {
  ASSERT_TRUE(put_at(a_, 0, 1));
  ASSERT_TRUE(run_.store->flush(kFar));
  const Lines before = all();
  for (const FileOp op : {FileOp::kMap, FileOp::kOpenRead}) {
    for (const int error : {5, 24}) {  // EIO, EMFILE
      run_.close();
      run_.files.inject({.op = op, .error_number = error, .path_part = "blocks/"});
      const Status opened = run_.open();
      ASSERT_FALSE(opened);
      run_.files.clear_faults();
      ASSERT_TRUE(run_.open());
      EXPECT_EQ(all(), before);
    }
  }
}

TEST_F(StoreRecoveryTest, TheLastValueWinsThoughTheClockWentBack) {
  run_.close();
  run_.options_.limits.last_value_wins = true;
  ASSERT_TRUE(run_.open());
  ASSERT_TRUE(put_at(a_, 0, 1));
  ASSERT_TRUE(run_.store->flush(kFar));
  run_.clock.jump_wall_ms(-60'000);
  ASSERT_TRUE(put_at(a_, 0, 2));
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 2@0)"}));
  ASSERT_TRUE(run_.store->flush(kFar));
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 2@0)"}));
  reopen_after(Crash::kPowerCut);
  run_.clock.jump_wall_ms(-60'000);
  ASSERT_TRUE(put_at(a_, 0, 3));
  ASSERT_TRUE(run_.store->flush(kFar));
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 3@0)"}));
}

TEST_F(StoreRecoveryTest, WritesGoOnAfterAFullDiskThoughNoBlockCanBeCut) {
  ASSERT_TRUE(put_at(a_, 0, 1));
  run_.clock.advance_ms(6 * kHourMs);
  run_.files.inject({.op = FileOp::kWrite, .path_part = "wal/"});
  EXPECT_FALSE(put_at(a_, 6 * kHourMs, 2));
  fail_lasting(FileOp::kCreateDirectories, "blocks/");
  run_.store->upkeep_once();
  EXPECT_TRUE(run_.store->writable());
  EXPECT_TRUE(put_at(a_, 6 * kHourMs + 1, 3));
  reopen_after(Crash::kPowerCut);
  EXPECT_THAT(all()[0], HasSubstr(" 1@0 "));
  EXPECT_THAT(all()[0], HasSubstr(" 3@21600001"));
}

TEST_F(StoreRecoveryTest, AFailedSnapshotLeavesNothingLyingAbout) {
  for (const auto& [op, part] :
       std::vector<std::pair<FileOp, std::string>>{{FileOp::kRename, "snapshots"},
                                                   {FileOp::kOpenWrite, "snapshots"},
                                                   {FileOp::kWrite, "snapshots"},
                                                   {FileOp::kSync, "snapshots"},
                                                   {FileOp::kSyncDir, "snapshots"}}) {
    SCOPED_TRACE(static_cast<int>(op));
    ASSERT_TRUE(put_at(a_, 0, 1));
    fail_lasting(op, part);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(run_.store->flush(kFar));
    run_.files.clear_faults();
    ASSERT_TRUE(run_.store->flush(kFar));
    EXPECT_THAT(*run_.files.list("data/snapshots"), SizeIs(1));
    EXPECT_THAT(*run_.files.list("data/wal"), SizeIs(1));
  }
}

TEST_F(StoreRecoveryTest, AQuerySeesAWholeCommitWhileTheHeadIsSwept) {
  constexpr int kSeries = 64;
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 1; i <= 1500; ++i) {
      const auto appender = run_.store->appender();
      for (int n = 0; n < kSeries; ++n)
        (void)appender->append(model::kNoSeries, numbered(n),
                               {run_.start_ms + i, static_cast<double>(i)});
      (void)appender->commit();
    }
    stop = true;
  });
  std::thread sweeper([&] {
    while (!stop) (void)run_.store->flush(run_.start_ms - kHourMs);
  });
  while (!stop) {
    const auto querier = *run_.store->querier(run_.start_ms, run_.start_ms + 10'000);
    const auto set = *querier->select({}, {});
    model::SeriesColumns columns;
    std::vector<size_t> sizes;
    while (set->next(columns)) sizes.push_back(columns.values.size());
    if (sizes.empty()) continue;
    EXPECT_THAT(sizes, testing::AllOf(SizeIs(kSeries), testing::Each(sizes.front())));
    const auto names = querier->label_names({}, 0);
    EXPECT_EQ(*names, (Lines{"__name__", "n"}));
    if (HasFailure()) break;
  }
  writer.join();
  stop = true;
  sweeper.join();
}

TEST_F(StoreRecoveryTest, SeriesThatComeWhileABlockIsCutDisturbNothing) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 1; i <= 3000; ++i)
      (void)put_at(Labels{{"__name__", "c"}, {"id", std::to_string(i * 7919 % 10007)}}, i, 1);
    stop = true;
  });
  std::thread reader([&] {
    while (!stop) (void)all();
  });
  while (!stop) {
    const Status flushed = run_.store->flush(kFar);
    EXPECT_TRUE(flushed) << flushed.error().message;
    if (HasFailure()) break;
  }
  writer.join();
  reader.join();
  EXPECT_THAT(all(), SizeIs(3000));
}

// Bad bytes in a page that nobody needs to find series show only when they are read.
TEST_F(StoreRecoveryTest, ADamagedBlockIsSetAsideByTheMergeThatMeetsIt) {
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(put_at(a_, i * 20, std::sin(i)));
  ASSERT_TRUE(run_.store->flush(kFar));
  const auto blocks = *run_.files.list("data/blocks");
  ASSERT_THAT(blocks, SizeIs(1));
  const std::string folder = "data/blocks/" + blocks[0].name;
  const uint64_t size = *(*run_.files.open_readable(folder + "/columns"))->size();
  run_.close();
  run_.files.corrupt(folder + "/columns", size / 2);
  ASSERT_TRUE(run_.open());
  ASSERT_TRUE(put_at(a_, 10, 7));
  ASSERT_TRUE(run_.store->flush(kFar));  // overlaps the damaged one, so they are merged
  EXPECT_TRUE(run_.files.exists(folder + ".damaged"));
  EXPECT_FALSE(run_.files.exists(folder));
  EXPECT_TRUE(all() == (Lines{R"(up{job="a"} 7@10)"}));
}

}  // namespace
}  // namespace binnacle::store::metrics
