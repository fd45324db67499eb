// For the tests of the write-ahead log: groups of records as text, and a log read back as such.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "store/metrics/wal.h"

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

}  // namespace binnacle::store::metrics
