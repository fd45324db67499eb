// The metric store on a disk that fails: the power goes at each change, each call fails once or
// from then on, bits flip in files at rest. What was acknowledged is there with its value, nothing
// else is, and the store works again when the disk does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>

#include "store/metrics/store_test_run.h"

namespace binnacle::store::metrics {
namespace {

using model::Labels;
using model::Matcher;
using model::MatchOp;

constexpr int64_t kFar = int64_t{1} << 60;
constexpr int64_t kHourMs = 3'600'000;
constexpr int kSeries = 4;

StoreOptions small_options() {
  StoreOptions options;
  options.snapshot_bytes = 1500;
  options.wal.segment_bytes = 700;
  options.compaction_bytes_per_second = uint64_t{1} << 62;  // time stands still: no waiting
  return options;
}

// A script of everything a store does, and what must hold of it whatever fails meanwhile.
class Load {
 public:
  explicit Load(uint64_t seed) : run(small_options(), seed) {}

  void work() {
    if (!run.open()) return;
    append(10, -5 * kHourMs);
    run.store->upkeep_once();
    append(10, 0);
    (void)run.store->flush(run.start_ms - kHourMs);
    append(5, -500'000);
    erase(2, -5 * kHourMs, -5 * kHourMs + 3000);
    restart();
    if (run.store == nullptr) return;
    append(5, 20'000);
    (void)run.store->flush(kFar);
    append(5, -300'000);
    (void)run.store->flush(kFar);
    erase(1, -500'000, 21'000);
    append(40, 40'000);
    run.store->upkeep_once();
  }

  void restart() {
    run.close();
    (void)run.open();
  }

  // A batch of one sample of each series for each of `count` seconds.
  void append(int count, int64_t from_ms) {
    for (int i = 0; i < count; ++i) {
      const int64_t at_ms = run.start_ms + from_ms + i * 1000;
      const auto appender = run.store->appender();
      for (int n = 0; n < kSeries; ++n) {
        (void)appender->append(model::kNoSeries, labels_of(n), {at_ms, value_of(n, at_ms)});
        maybe_.emplace(n, at_ms);
      }
      const auto report = appender->commit();
      if (!report) {
        EXPECT_FALSE(report.error().message.empty());
        continue;
      }
      EXPECT_TRUE(report->refused.empty()) << report->refused.front().error.message;
      for (int n = 0; n < kSeries; ++n) must_.emplace(n, at_ms);
    }
  }

  void erase(int n, int64_t from_ms, int64_t to_ms) {
    const int64_t min_ms = run.start_ms + from_ms, max_ms = run.start_ms + to_ms;
    const model::Matchers matchers = {*Matcher::create(MatchOp::kEqual, "n", std::to_string(n))};
    const auto in_range = [&](const auto& one) {
      return one.first == n && one.second >= min_ms && one.second <= max_ms;
    };
    std::erase_if(must_, in_range);
    if (run.store->delete_series(matchers, min_ms, max_ms)) std::erase_if(maybe_, in_range);
  }

  void expect_kept(bool all = true) {
    const auto querier = run.store->querier(-kFar, kFar);
    ASSERT_TRUE(querier);
    const auto set = (*querier)->select({}, {});
    ASSERT_TRUE(set) << set.error().message;
    std::set<std::pair<int, int64_t>> found;
    model::SeriesColumns columns;
    while ((*set)->next(columns)) {
      const int n = std::atoi(std::string(columns.labels.get("n")).c_str());
      ASSERT_EQ(columns.labels, labels_of(n).view());
      for (size_t i = 0; i < columns.values.size(); ++i) {
        const int64_t at_ms = columns.timestamps_ms[i];
        ASSERT_EQ(columns.values[i], value_of(n, at_ms));
        ASSERT_TRUE(maybe_.contains({n, at_ms})) << n << " " << at_ms - run.start_ms;
        ASSERT_TRUE(found.emplace(n, at_ms).second) << "twice";
      }
    }
    if (!all) return;
    ASSERT_TRUE((*set)->status()) << (*set)->status().error().message;
    for (const auto& [n, at_ms] : must_)
      ASSERT_TRUE(found.contains({n, at_ms})) << n << " " << at_ms - run.start_ms;
  }

  // The disk is well: the store takes samples, at the latest after a round of upkeep, and what it
  // acknowledged outlives the power.
  void expect_recovers() {
    run.files.clear_faults();
    if (run.store == nullptr) {
      const Status opened = run.open();
      ASSERT_TRUE(opened) << opened.error().message;
    }
    run.store->upkeep_once();
    EXPECT_TRUE(run.store->writable());
    const size_t before = must_.size();
    append(1, 200'000);
    EXPECT_EQ(must_.size(), before + kSeries);
    expect_kept();
    run.crash(Crash::kPowerCut);
    const Status opened = run.open();
    ASSERT_TRUE(opened) << opened.error().message;
    expect_kept();
    const Status flushed = run.store->flush(kFar);
    EXPECT_TRUE(flushed) << flushed.error().message;
    expect_kept();
    run.store->upkeep_once();
    EXPECT_EQ(run.files.list("data/snapshots")->size(), 1u);
    const auto blocks = *run.files.list("data/blocks");
    for (const DirEntry& entry : blocks)
      EXPECT_EQ(entry.name.find('.'), std::string::npos) << entry.name;
    EXPECT_EQ(run.files.list("data/blocks")->size(), run.store->status().blocks);
  }

  static Labels labels_of(int n) { return {{"__name__", "x"}, {"n", std::to_string(n)}}; }
  static double value_of(int n, int64_t at_ms) {
    return static_cast<double>(n * 7 + at_ms % 1'000'003);
  }

  StoreTestRun run;

 private:
  std::set<std::pair<int, int64_t>> must_, maybe_;
};

TEST(StoreFault, ThePowerGoesAtEachChange) {
  Load whole(1);
  whole.work();
  const uint64_t changes = whole.run.files.changes();
  ASSERT_GT(changes, 200u);
  whole.expect_recovers();
  for (const Crash kind : {Crash::kKill, Crash::kPowerCut, Crash::kTornPower}) {
    for (uint64_t n = 0; n <= changes; n += kTestStride) {
      SCOPED_TRACE(fmt::format("crash kind {} after change {}", static_cast<int>(kind), n));
      Load load(n);
      load.run.files.power_off_after(n);
      load.work();
      load.run.crash(kind);
      const Status opened = load.run.open();
      ASSERT_TRUE(opened) << opened.error().message;
      load.expect_kept();
      if (n % 4 == 0) load.expect_recovers();
      if (testing::Test::HasFailure()) return;
    }
  }
}

// While a start is cut off again and again, nothing goes.
TEST(StoreFault, ThePowerGoesAtEachChangeOfTheNextStart) {
  for (const uint64_t first : {40u, 90u, 140u, 190u, 240u, 290u}) {
    for (uint64_t n = 0; n < 60; n += kTestStride) {
      SCOPED_TRACE(fmt::format("after change {}, then after change {} of the start", first, n));
      Load load(n);
      load.run.files.power_off_after(first);
      load.work();
      load.run.crash(Crash::kTornPower);
      load.run.files.power_off_after(n);
      (void)load.run.open();
      load.run.crash(n % 2 == 0 ? Crash::kPowerCut : Crash::kTornPower);
      const Status opened = load.run.open();
      ASSERT_TRUE(opened) << opened.error().message;
      load.expect_kept();
      if (testing::Test::HasFailure()) return;
    }
  }
}

// For each kind of call and error, each call (or, where there are many, some of them) of the
// script.
template <typename Fn>
void for_each_fault(bool lasting, Fn fn) {
  for (const FileOp op :
       {FileOp::kOpenRead, FileOp::kRead, FileOp::kMap, FileOp::kList, FileOp::kLock,
        FileOp::kOpenWrite, FileOp::kWrite, FileOp::kSync, FileOp::kSyncDir, FileOp::kTruncate,
        FileOp::kRename, FileOp::kLink, FileOp::kRemove, FileOp::kCreateDirectories}) {
    for (const int error : {5, 28}) {  // EIO, ENOSPC
      for (uint64_t nth = 1;; nth += kTestStride) {
        SCOPED_TRACE(fmt::format("op {} error {} nth {} {}", static_cast<int>(op), error, nth,
                                 lasting ? "and on" : "once"));
        if (!fn(FileFault{.op = op, .nth = nth, .error_number = error, .lasting = lasting})) break;
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(StoreFault, EachCallFailsOnce) {
  for_each_fault(false, [](const FileFault& fault) {
    Load load(fault.nth);
    load.run.files.inject(fault);
    load.work();
    if (load.run.files.faults_left() > 0) return false;
    if (load.run.store != nullptr) load.expect_kept();
    load.expect_recovers();
    return true;
  });
}

TEST(StoreFault, EachCallFailsFromThereOnUntilTheDiskIsWell) {
  for_each_fault(true, [](const FileFault& fault) {
    Load load(fault.nth);
    load.run.files.inject(fault);
    load.work();
    if (load.run.files.faults_left() > 0) return false;
    const bool reads = fault.op == FileOp::kRead || fault.op == FileOp::kMap;
    if (load.run.store != nullptr) load.expect_kept(!reads);
    load.expect_recovers();
    return true;
  });
}

TEST(StoreFault, TheDiskRunsFullAtEachByte) {
  for (uint64_t room = 0; room < 25'000; room += 97 * kTestStride) {
    SCOPED_TRACE(room);
    Load load(room);
    load.run.files.set_capacity(room);
    load.work();
    if (load.run.store != nullptr) load.expect_kept();
    load.run.files.set_capacity({});
    load.expect_recovers();
    if (testing::Test::HasFailure()) return;
  }
}

void list_files(FaultFileSystem& files, const std::string& folder, std::vector<std::string>& out) {
  const auto entries = *files.list(folder);
  for (const DirEntry& entry : entries) {
    const std::string path = folder + "/" + entry.name;
    if (entry.is_directory) {
      list_files(files, path, out);
    } else {
      out.push_back(path);
    }
  }
}

// A start may refuse, lose samples or answer with an error, and says so; it never ends the process
// and never serves what was not sent.
TEST(StoreFault, ABitFlipsInAFileAtRest) {
  std::vector<std::string> paths;
  {
    Load load(1);
    load.work();
    load.run.crash(Crash::kKill);
    list_files(load.run.files, "data", paths);
  }
  ASSERT_GE(paths.size(), 8u);
  size_t told = 0, flips = 0;
  for (size_t file = 0; file < paths.size(); ++file) {
    uint64_t size = 0;
    for (uint64_t at = 0; at == 0 || at < size; at += (1 + size / 60) * kTestStride) {
      SCOPED_TRACE(fmt::format("{} byte {}", paths[file], at));
      Load load(1);
      load.work();
      load.run.crash(Crash::kKill);
      size = load.run.files.read_file(paths[file], 1 << 20)->size();
      if (at >= size) break;
      load.run.files.corrupt(paths[file], at, static_cast<uint8_t>(1 << (at % 8)));
      ++flips;
      if (const Status opened = load.run.open(); !opened) {
        EXPECT_FALSE(opened.error().message.empty());
        ++told;
        continue;
      }
      load.expect_kept(false);
      std::vector<std::string> now;
      list_files(load.run.files, "data", now);
      for (const std::string& path : now) {
        if (path.find("damaged") == std::string::npos) continue;
        ++told;
        break;
      }
      load.append(1, 200'000);
      load.run.store->upkeep_once();
      (void)load.run.store->flush(kFar);
      load.expect_kept(false);
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(told, flips / 4);
}

}  // namespace
}  // namespace binnacle::store::metrics
