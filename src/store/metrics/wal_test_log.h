// For the tests of the write-ahead log: groups of records as text, a log read back as such, and
// logs made of the bytes of a good one. One thread.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "base/fault_file_system.h"
#include "store/metrics/wal.h"
#include "store/metrics/wal_format.h"

namespace binnacle::store::metrics {

inline const std::string kTestWal = "data/wal";

inline std::string frames_of(std::initializer_list<std::string> payloads) {
  std::string frames;
  for (const std::string& payload : payloads) append_wal_frame(1, payload, frames);
  return frames;
}

struct ReadBack {
  std::vector<std::string> records;
  WalReadReport report;
};

inline ReadBack read_back(FileSystem& files, uint64_t from = 0) {
  ReadBack read;
  auto report = read_wal(files, kTestWal, from,
                         [&](WalRecordType type, std::string_view payload) -> Status {
                           EXPECT_EQ(type, 1);
                           read.records.emplace_back(payload);
                           return {};
                         },
                         {});
  EXPECT_TRUE(report) << report.error().message;
  if (report) read.report = std::move(*report);
  EXPECT_EQ(read.report.records, read.records.size());
  return read;
}

inline void put_file(FileSystem& files, const std::string& path, std::string_view bytes) {
  auto file = files.open_writable(path, FileSystem::Create::kTruncate);
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_TRUE((*file)->append(bytes));
}

// Groups of a log of two segments; the first three stand in segment 1.
inline const std::vector<std::vector<std::string>> kGroups = {
    {"a"}, {"b", "", "c"}, {std::string(40, '\0')}, {"d", "e"}, {"GRP1"}, {"f", "gg", "h"}};
inline constexpr size_t kGroupsInFirst = 3;

struct WalGroupEnd {
  uint64_t segment;
  uint64_t end;
};

// Reads logs made of the bytes of a good one.
class WalBytesTest : public testing::Test {
 protected:
  // Writes the log once and keeps its bytes.
  void SetUp() override {
    FaultFileSystem files;
    auto wal = Wal::open(kTestWal, 1, {}, files, clock_, registry_);
    ASSERT_TRUE(wal);
    for (const auto& group : kGroups) {
      if (ends_.size() == kGroupsInFirst) ASSERT_TRUE((*wal)->rotate());
      std::string frames;
      for (const std::string& payload : group) append_wal_frame(1, payload, frames);
      ASSERT_TRUE((*wal)->append(frames));
      const uint64_t segment = (*wal)->segment();
      ends_.push_back({segment, (*wal)->bytes_since(segment)});
    }
    for (const uint64_t segment : {1, 2}) {
      auto bytes = files.read_file(wal_segment_path(kTestWal, segment));
      ASSERT_TRUE(bytes);
      bytes_.push_back(*bytes);
    }
  }

  // A disk with these segments, from number 1 on.
  static std::unique_ptr<FaultFileSystem> disk(const std::vector<std::string>& segments) {
    auto files = std::make_unique<FaultFileSystem>();
    EXPECT_TRUE(files->create_directories(kTestWal));
    for (size_t i = 0; i < segments.size(); ++i) {
      put_file(*files, wal_segment_path(kTestWal, i + 1), segments[i]);
    }
    return files;
  }

  // The records of the groups that end at or before that place.
  std::vector<std::string> before(uint64_t segment, uint64_t offset) const {
    std::vector<std::string> records;
    for (size_t i = 0; i < kGroups.size(); ++i) {
      if (ends_[i].segment > segment) break;
      if (ends_[i].segment == segment && ends_[i].end > offset) break;
      records.insert(records.end(), kGroups[i].begin(), kGroups[i].end());
    }
    return records;
  }
  std::vector<std::string> all() const { return before(2, ~uint64_t{0}); }

  // Mends, and goes on: the log is whole then, and holds `records` and what is appended.
  void expect_mended(FaultFileSystem& files, const ReadBack& read) {
    ASSERT_TRUE(mend_wal(files, kTestWal, read.report));
    files.crash(Crash::kPowerCut);
    const auto mended = read_back(files);
    EXPECT_EQ(mended.records, read.records);
    EXPECT_THAT(mended.report.damage, testing::IsEmpty());
    EXPECT_EQ(mended.report.last_segment, read.report.last_segment);
    auto wal = Wal::open(kTestWal, read.report.last_segment + 1, {}, files, clock_, registry_);
    ASSERT_TRUE(wal) << wal.error().message;
    ASSERT_TRUE((*wal)->append(frames_of({"new"})));
    auto expected = read.records;
    expected.emplace_back("new");
    const auto after = read_back(files);
    EXPECT_EQ(after.records, expected);
    EXPECT_THAT(after.report.damage, testing::IsEmpty());
  }

  SimulatedClock clock_;
  Registry registry_;
  std::vector<std::string> bytes_;
  std::vector<WalGroupEnd> ends_;
};

inline void make_durable(FaultFileSystem& files) {
  for (const std::string folder : {"data", "data/wal"}) ASSERT_TRUE(files.sync_dir(folder));
  const auto entries = files.list(kTestWal);
  ASSERT_TRUE(entries);
  for (const DirEntry& entry : *entries) {
    auto file = files.open_writable(kTestWal + "/" + entry.name, FileSystem::Create::kAppend, 0644);
    ASSERT_TRUE(file && (*file)->sync());
  }
}

}  // namespace binnacle::store::metrics
