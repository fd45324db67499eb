// The write-ahead log on a disk that fails: each call in turn, the power cut at each change.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "base/fault_file_system.h"
#include "store/metrics/wal.h"
#include "store/metrics/wal_test_log.h"

namespace binnacle::store::metrics {
namespace {

constexpr FileOp kChanges[] = {FileOp::kOpenWrite, FileOp::kWrite,    FileOp::kSync,
                               FileOp::kSyncDir,   FileOp::kTruncate, FileOp::kRename,
                               FileOp::kRemove};
constexpr int kErrors[] = {5, 28};  // EIO, ENOSPC

// A run of appends to one disk, of which it remembers what was tried and what was acknowledged.
class Workload {
 public:
  explicit Workload(uint64_t seed, bool sync_always = true)
      : files(seed), options_{.sync_always = sync_always, .segment_bytes = 220} {}

  void open(uint64_t segment) {
    auto opened = Wal::open(kTestWal, segment, options_, files, clock_, registry_);
    if (opened) wal = std::move(*opened);
  }

  Status append() {
    const size_t n = tried++;
    Status status = wal->append(frames_of({fmt::format("{}/1", n), fmt::format("{}/2", n)}));
    if (status) acknowledged.push_back(n);
    return status;
  }

  // Appends beyond the size of some segments, and a rotation.
  void work() {
    open(1);
    for (int i = 0; wal && i < 12; ++i) {
      (void)append();
      if (i == 7) (void)wal->rotate();
      if (i % 4 == 3 && wal->sync()) synced = acknowledged.size();
    }
  }

  // What was acknowledged is there, in order, groups whole; of the rest only what was tried.
  void expect_kept(const std::vector<std::string>& records) const {
    std::vector<size_t> kept;
    ASSERT_EQ(records.size() % 2, 0u);
    for (size_t i = 0; i < records.size(); i += 2) {
      const size_t n = std::stoul(records[i]);
      ASSERT_EQ(records[i], fmt::format("{}/1", n));
      ASSERT_EQ(records[i + 1], fmt::format("{}/2", n));
      kept.push_back(n);
    }
    EXPECT_TRUE(std::ranges::is_sorted(kept));
    EXPECT_TRUE(std::ranges::adjacent_find(kept) == kept.end());
    EXPECT_TRUE(std::ranges::includes(kept, acknowledged));
    EXPECT_TRUE(kept.empty() || kept.back() < tried);
  }

  // Reads, mends, goes on in a new segment, and reads again.
  void expect_recovers() {
    wal.reset();
    auto read = read_back(files);
    expect_kept(read.records);
    EXPECT_TRUE(read.report.damage.empty() || read.report.damage.front().torn_tail)
        << read.report.damage.front().reason;
    ASSERT_TRUE(mend_wal(files, kTestWal, read.report));
    open(read.report.last_segment + 1);
    ASSERT_TRUE(wal);
    ASSERT_TRUE(append());
    files.crash(options_.sync_always ? Crash::kPowerCut : Crash::kKill);
    read = read_back(files);
    expect_kept(read.records);
    EXPECT_TRUE(read.report.damage.empty()) << read.report.damage.front().reason;
  }

  FaultFileSystem files;

 private:
  WalOptions options_;
  SimulatedClock clock_;
  Registry registry_;

 public:
  std::unique_ptr<Wal> wal;
  size_t tried = 0;
  std::vector<size_t> acknowledged;
  size_t synced = 0;  // of the acknowledged ones, by sync()
};

// Calls fn(fault) for each call of each kind until a run meets no such call any more.
template <typename Fn>
void for_each_fault(Fn fn) {
  for (const FileOp op : kChanges) {
    for (const int error : kErrors) {
      for (uint64_t nth = 1;; ++nth) {
        SCOPED_TRACE(fmt::format("op {} error {} nth {}", static_cast<int>(op), error, nth));
        if (!fn(FileFault{.op = op, .nth = nth, .error_number = error})) break;
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TEST(WalFault, EachCallFailsOnceThenThePowerGoes) {
  for (const Crash crash : {Crash::kKill, Crash::kPowerCut, Crash::kTornPower}) {
    for_each_fault([&](const FileFault& fault) {
      Workload load(fault.nth);
      load.files.inject(fault);
      load.work();
      const bool struck = load.files.faults_left() == 0;
      EXPECT_GE(load.acknowledged.size() + 1, load.wal ? load.tried : 0) << "goes on at once";
      load.files.clear_faults();
      load.files.crash(crash);
      load.expect_recovers();
      return struck;
    });
  }
}

TEST(WalFault, EachCallFailsFromThereOnUntilTheDiskIsWell) {
  for_each_fault([](FileFault fault) {
    Workload load(fault.nth);
    fault.lasting = true;
    load.files.inject(fault);
    load.work();
    const bool struck = load.files.faults_left() == 0;
    load.files.clear_faults();
    if (load.wal) EXPECT_TRUE(load.append());
    load.files.crash(Crash::kPowerCut);
    load.expect_recovers();
    return struck;
  });
}

TEST(WalFault, PowerGoesAtEachChange) {
  for (const Crash crash : {Crash::kPowerCut, Crash::kTornPower}) {
    for (uint64_t changes = 0;; ++changes) {
      SCOPED_TRACE(changes);
      bool finished = false;
      for (uint64_t seed = 1; seed <= 8; ++seed) {
        Workload load(seed);
        load.files.power_off_after(changes);
        load.work();
        finished = load.acknowledged.size() == 12;
        load.files.crash(crash);
        load.expect_recovers();
      }
      if (finished) break;
      ASSERT_LT(changes, 500u);
    }
  }
}

TEST(WalFault, CallFailsAndThePowerGoesLater) {
  for_each_fault([](const FileFault& fault) {
    bool struck = false;
    for (uint64_t changes = 1; changes < 60; changes += 2) {
      Workload load(changes);
      load.files.inject(fault);
      load.files.power_off_after(changes);
      load.work();
      struck = struck || load.files.faults_left() == 0;
      load.files.clear_faults();
      load.files.crash(changes % 4 == 1 ? Crash::kPowerCut : Crash::kTornPower);
      load.expect_recovers();
    }
    return struck;
  });
}

// Without syncs a killed process loses nothing; the power may take the newest.
TEST(WalFault, WithoutSyncsAKillLosesNothing) {
  for_each_fault([](const FileFault& fault) {
    if (fault.op == FileOp::kSync) return false;
    Workload load(fault.nth, false);
    load.files.inject(fault);
    load.work();
    const bool struck = load.files.faults_left() == 0;
    load.files.clear_faults();
    load.files.crash(Crash::kKill);
    load.expect_recovers();
    return struck;
  });
}

// Without syncs the power takes the newest records, and nothing else.
TEST(WalFault, WithoutSyncsThePowerTakesOnlyTheNewest) {
  for (const Crash crash : {Crash::kPowerCut, Crash::kTornPower}) {
    bool finished = false;
    for (uint64_t changes = 0; !finished && changes < 500; ++changes) {
      SCOPED_TRACE(changes);
      Workload load(changes, false);
      load.files.power_off_after(changes);
      load.work();
      finished = load.acknowledged.size() == 12;
      load.files.crash(crash);
      const auto read = read_back(load.files);
      EXPECT_TRUE(read.report.damage.empty() || read.report.damage.front().torn_tail);
      EXPECT_GE(read.records.size(), 2 * load.synced);
      for (size_t i = 0; i < read.records.size(); ++i) {
        EXPECT_EQ(read.records[i], fmt::format("{}/{}", i / 2, i % 2 + 1));
      }
    }
    EXPECT_TRUE(finished);
  }
}

TEST(WalFault, DiskRunsFullAtEachByte) {
  for (uint64_t room = 0; room < 1100; room += 7) {
    SCOPED_TRACE(room);
    Workload load(room);
    load.files.set_capacity(room);
    load.work();
    load.files.set_capacity({});
    if (load.wal) EXPECT_TRUE(load.append());
    load.files.crash(Crash::kPowerCut);
    load.expect_recovers();
  }
}

}  // namespace
}  // namespace binnacle::store::metrics
