#include "store/metrics/wal.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "base/fault_file_system.h"
#include "store/metrics/wal_test_log.h"

namespace binnacle::store::metrics {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WalTest : public testing::Test {
 protected:
  std::unique_ptr<Wal> open(WalOptions options = {}, uint64_t segment = 1) {
    auto wal = Wal::open(kTestWal, segment, options, files_, clock_, registry_);
    EXPECT_TRUE(wal) << wal.error().message;
    return wal ? std::move(*wal) : nullptr;
  }
  std::vector<std::string> records() { return read_back(files_).records; }
  bool exists(uint64_t segment) {
    return files_.exists(fmt::format("{}/{:08}", kTestWal, segment));
  }
  double failures(const std::string& op) {
    return registry_
        .counter("binnacle_wal_failures_total",
                 "Operations of the write-ahead log that failed, by operation.", {{"op", op}})
        .value();
  }

  FaultFileSystem files_;
  SimulatedClock clock_;
  Registry registry_;
};

constexpr WalOptions kAlways{.sync_always = true};

TEST_F(WalTest, WhatIsAppendedIsThereInOrder) {
  auto wal = open();
  ASSERT_TRUE(wal->append(frames_of({"a"})));
  ASSERT_TRUE(wal->append(frames_of({"b", "c"})));
  ASSERT_TRUE(wal->append(""));
  ASSERT_TRUE(wal->append(frames_of({""})));
  EXPECT_THAT(records(), ElementsAre("a", "b", "c", ""));
  EXPECT_EQ(
      registry_.counter("binnacle_wal_records_total", "Records written to the write-ahead log.")
          .value(),
      4);
}

TEST_F(WalTest, LargeAndSmallAppends) {
  auto wal = open();
  const std::string large(300'000, 'l');
  ASSERT_TRUE(wal->append(frames_of({"small", large, "small"})));
  ASSERT_TRUE(wal->append(frames_of({"end"})));
  EXPECT_THAT(records(), ElementsAre("small", large, "small", "end"));
}

TEST_F(WalTest, FramesInPlaceAreTheSame) {
  std::string frames = frames_of({"first"});
  const size_t begun = begin_wal_frame(1, frames);
  frames += "second";
  end_wal_frame(begun, frames);
  EXPECT_EQ(frames, frames_of({"first", "second"}));
}

TEST_F(WalTest, RotatesBySizeAndOnDemandAndRemoves) {
  auto wal = open({.segment_bytes = 200}, 5);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(wal->append(frames_of({std::string(50, 'r')})));
  EXPECT_EQ(wal->segment(), 8u);
  const auto next = wal->rotate();
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, 9u);
  EXPECT_EQ(wal->bytes_since(9), 32u);
  EXPECT_GT(wal->bytes_since(8), wal->bytes_since(9));
  const uint64_t all = wal->bytes_since(0);
  EXPECT_EQ(records().size(), 10u);

  ASSERT_TRUE(wal->remove_before(7));
  EXPECT_FALSE(exists(5) || exists(6));
  EXPECT_TRUE(exists(7));
  EXPECT_LT(wal->bytes_since(0), all);
  ASSERT_TRUE(wal->remove_before(100));
  EXPECT_TRUE(exists(9));
  ASSERT_TRUE(wal->append(frames_of({"after"})));
  EXPECT_THAT(records(), ElementsAre("after"));
}

TEST_F(WalTest, OpensOnlyAtANewEnd) {
  ASSERT_TRUE(open({}, 3)->append(frames_of({"a"})));
  for (const uint64_t segment : {2, 3}) {
    const auto wal = Wal::open(kTestWal, segment, {}, files_, clock_, registry_);
    ASSERT_FALSE(wal);
    EXPECT_EQ(wal.error().code, Code::kAlreadyExists);
  }
  auto wal = open({}, 4);
  ASSERT_TRUE(wal->append(frames_of({"b"})));
  EXPECT_THAT(records(), ElementsAre("a", "b"));
  EXPECT_GT(wal->bytes_since(3), wal->bytes_since(4));
}

TEST_F(WalTest, SyncsWhenDue) {
  auto wal = open({.sync_interval_ms = 1000});
  ASSERT_TRUE(wal->append(frames_of({"a"})));
  clock_.advance_ms(999);
  files_.inject({.op = FileOp::kSync, .lasting = true});
  ASSERT_TRUE(wal->sync_if_due());  // not yet: the fault does not strike
  clock_.advance_ms(1);
  EXPECT_FALSE(wal->sync_if_due());
  EXPECT_TRUE(wal->sync_if_due());  // tried; again in an interval
  EXPECT_EQ(failures("sync"), 1);
}

TEST_F(WalTest, SyncedSurvivesAPowerCut) {
  auto wal = open();
  ASSERT_TRUE(wal->append(frames_of({"synced"})));
  ASSERT_TRUE(wal->sync());
  ASSERT_TRUE(wal->append(frames_of({"not"})));
  files_.crash(Crash::kPowerCut);
  EXPECT_THAT(records(), ElementsAre("synced"));
}

TEST_F(WalTest, RotationMakesTheOldSegmentDurable) {
  auto wal = open();
  ASSERT_TRUE(wal->append(frames_of({"a"})));
  ASSERT_TRUE(wal->rotate());
  ASSERT_TRUE(wal->append(frames_of({"b"})));
  ASSERT_TRUE(wal->sync());
  files_.crash(Crash::kPowerCut);
  EXPECT_THAT(records(), ElementsAre("a", "b"));
}

TEST_F(WalTest, NewLogMakesTheOldOneDurable) {
  auto wal = open();
  ASSERT_TRUE(wal->append(frames_of({"old"})));
  files_.crash(Crash::kKill);
  wal = open(kAlways, 2);
  ASSERT_TRUE(wal->append(frames_of({"new"})));
  files_.crash(Crash::kPowerCut);
  EXPECT_THAT(records(), ElementsAre("old", "new"));
}

TEST_F(WalTest, FullDiskRefusesUntilThereIsRoom) {
  auto wal = open(kAlways);
  ASSERT_TRUE(wal->append(frames_of({"before"})));
  files_.set_capacity(wal->bytes_since(0) + 30);
  for (int i = 0; i < 3; ++i) {
    const Status refused = wal->append(frames_of({"refused " + std::string(40, 'x')}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
    EXPECT_THAT(refused.error().message, HasSubstr("write-ahead log"));
  }
  ASSERT_TRUE(wal->append(frames_of({""})));  // what fits is taken
  files_.set_capacity({});
  ASSERT_TRUE(wal->append(frames_of({"after"})));
  EXPECT_FALSE(wal->sync_failed());
  files_.crash(Crash::kPowerCut);
  const auto read = read_back(files_);
  EXPECT_THAT(read.records, ElementsAre("before", "", "after"));
  EXPECT_THAT(read.report.damage, IsEmpty());
  EXPECT_EQ(failures("write"), 3);
}

TEST_F(WalTest, NothingIsAppendedBehindTornBytes) {
  auto wal = open();
  ASSERT_TRUE(wal->append(frames_of({"a"})));
  files_.inject({.op = FileOp::kWrite});
  files_.inject({.op = FileOp::kTruncate});
  files_.inject({.op = FileOp::kTruncate, .nth = 2});
  for (int i = 0; i < 2; ++i) {  // the write, then the cut
    const Status refused = wal->append(frames_of({"refused"}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kUnavailable);
  }
  ASSERT_TRUE(wal->append(frames_of({"b"})));
  EXPECT_EQ(failures("cut"), 2);
  EXPECT_THAT(records(), ElementsAre("a", "b"));
}

TEST_F(WalTest, AppendThatCouldNotBeSyncedIsRefusedAndCut) {
  auto wal = open(kAlways);
  ASSERT_TRUE(wal->append(frames_of({"a"})));
  files_.inject({.op = FileOp::kSync});
  ASSERT_FALSE(wal->append(frames_of({"refused"})));
  EXPECT_TRUE(wal->sync_failed());
  ASSERT_TRUE(wal->append(frames_of({"b"})));  // nothing that was acknowledged is in doubt
  files_.crash(Crash::kPowerCut);
  EXPECT_THAT(records(), ElementsAre("a", "b"));
}

TEST_F(WalTest, AcknowledgedBytesInDoubtForbidDurableAppends) {
  auto wal = open();
  ASSERT_TRUE(wal->append(frames_of({"in doubt"})));
  files_.inject({.op = FileOp::kSync});
  EXPECT_FALSE(wal->sync());
  EXPECT_TRUE(wal->sync_failed());
  EXPECT_FALSE(wal->sync()) << "a later sync proves nothing";
  ASSERT_TRUE(wal->append(frames_of({"without promise"})));
  wal->set_options(kAlways);
  EXPECT_FALSE(wal->append(frames_of({"refused"})));

  // The way out: a new segment, everything written anew elsewhere, the old segments removed.
  const auto next = wal->rotate();
  ASSERT_TRUE(next);
  wal->forgive();
  EXPECT_FALSE(wal->sync_failed());
  ASSERT_TRUE(wal->append(frames_of({"durable"})));
  ASSERT_TRUE(wal->remove_before(*next));
  files_.crash(Crash::kPowerCut);
  EXPECT_THAT(records(), ElementsAre("durable"));
}

TEST_F(WalTest, SyncThatFailedAfterTheRotationIsNotForgiven) {
  auto wal = open();
  ASSERT_TRUE(wal->rotate());
  ASSERT_TRUE(wal->append(frames_of({"in doubt"})));
  files_.inject({.op = FileOp::kSync});
  EXPECT_FALSE(wal->sync());
  wal->forgive();
  EXPECT_TRUE(wal->sync_failed());
}

TEST_F(WalTest, RotationThatFailsIsTriedAgain) {
  auto wal = open({.segment_bytes = 1});
  ASSERT_TRUE(wal->append(frames_of({"a"})));
  files_.inject({.op = FileOp::kOpenWrite});
  EXPECT_FALSE(wal->rotate());
  files_.inject({.op = FileOp::kSyncDir});
  EXPECT_FALSE(wal->append(frames_of({"refused"})));
  files_.inject({.op = FileOp::kWrite});
  EXPECT_FALSE(wal->rotate());
  ASSERT_TRUE(wal->append(frames_of({"b"})));
  EXPECT_EQ(failures("rotate"), 3);
  EXPECT_THAT(records(), ElementsAre("a", "b"));
}

TEST_F(WalTest, TooMuchAtOnceIsRefused) {
  auto wal = open();
  const Status refused = wal->append(std::string((size_t{256} << 20) + 1, '\0'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kOutOfRange);
}

}  // namespace
}  // namespace binnacle::store::metrics
