#include "store/metrics/store_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include <fmt/format.h>

#include "base/crc32c.h"
#include "store/metrics/block_folder.h"
#include "store/metrics/store_test_run.h"
#include "store/metrics/wal_format.h"

namespace binnacle::store::metrics {
namespace {

using testing::HasSubstr;

constexpr int64_t kFar = int64_t{1} << 60;

// All files below a folder with their bytes.
void collect(FileSystem& files, const std::string& folder, std::map<std::string, std::string>& to) {
  const auto entries = files.list(folder);
  ASSERT_TRUE(entries);
  for (const DirEntry& entry : *entries) {
    const std::string path = folder + "/" + entry.name;
    if (entry.is_directory) {
      to[path + "/"] = "";
      collect(files, path, to);
      continue;
    }
    auto bytes = files.read_file(path);
    ASSERT_TRUE(bytes);
    to[path] = *bytes;
  }
}

// A store with a block, a snapshot and a log, and what a start would tidy up.
class StoreFormatTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(run_.open());
    ASSERT_TRUE(put(*run_.store, a_, run_.start_ms, 1));
    ASSERT_TRUE(run_.store->flush(kFar));
    ASSERT_TRUE(put(*run_.store, a_, run_.start_ms + 1, 2));
    run_.crash(Crash::kKill);
    ASSERT_TRUE(run_.files.create_directories("data/blocks/01JD0000000000000000000000.tmp"));
    ASSERT_TRUE(run_.files.create_directories("data/snapshots/00000099.tmp"));
  }

  // As a binary would write it whose newest format is 2, with more in the reserved field.
  void raise_segment(const std::string& path) {
    auto bytes = run_.files.read_file(path);
    ASSERT_TRUE(bytes);
    (*bytes)[8] = 2;
    (*bytes)[10] = 1;
    const uint32_t crc = crc32c(std::string_view(*bytes).substr(0, kWalHeaderBytes - 4));
    bytes->replace(kWalHeaderBytes - 4, 4, reinterpret_cast<const char*>(&crc), 4);
    ASSERT_TRUE(run_.files.write_file_atomically(path, *bytes));
  }

  std::string only_in(const std::string& folder, const std::string& not_ending) {
    const auto entries = run_.files.list(folder);
    if (!entries) return "";
    for (const DirEntry& entry : *entries) {
      if (!entry.name.ends_with(not_ending)) return folder + "/" + entry.name;
    }
    return "";
  }

  void expect_refused(const std::string& path) {
    std::map<std::string, std::string> before, after;
    collect(run_.files, "data", before);
    const Status opened = run_.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::kFailedPrecondition);
    EXPECT_THAT(opened.error().message,
                HasSubstr("metric store: " + path +
                          ": written in format 2, and this binary reads up to 1; run the newer "
                          "binary, or restore a backup"));
    collect(run_.files, "data", after);
    EXPECT_EQ(after, before);
  }

  StoreTestRun run_;
  const model::Labels a_ = {{"__name__", "up"}};
};

TEST_F(StoreFormatTest, ALogOfANewerFormatIsRefusedAndStaysAsItIs) {
  const std::string path = only_in("data/wal", ".tmp");
  raise_segment(path);
  expect_refused(path);
}

TEST_F(StoreFormatTest, ASnapshotOfANewerFormatIsRefusedAndStaysAsItIs) {
  const std::string path = only_in("data/snapshots", ".tmp") + "/00000001";
  raise_segment(path);
  expect_refused(path);
}

TEST_F(StoreFormatTest, ABlockOfANewerFormatIsRefusedAndStaysAsItIs) {
  const std::string path = only_in("data/blocks", ".tmp") + "/meta.json";
  std::string text = *run_.files.read_file(path);
  text.replace(text.find("\"format\": 1"), 11, "\"format\": 2");
  ASSERT_TRUE(run_.files.write_file_atomically(path, text));
  expect_refused(path);
}

TEST_F(StoreFormatTest, OtherDamageIsNotItsBusiness) {
  run_.files.corrupt(only_in("data/wal", ".tmp"), 8);
  run_.files.corrupt(only_in("data/blocks", ".tmp") + "/meta.json", 30);
  EXPECT_TRUE(check_store_formats(run_.files, "data"));
  EXPECT_TRUE(check_store_formats(run_.files, "nowhere"));
}

TEST_F(StoreFormatTest, EveryFileBearsTheFormatThatIsSet) {
  run_.options_.format = kNewestFormat;
  ASSERT_TRUE(run_.open());
  ASSERT_TRUE(run_.store->flush(kFar));
  run_.close();
  std::map<std::string, std::string> all;
  collect(run_.files, "data", all);
  size_t looked_at = 0;
  for (const auto& [path, bytes] : all) {
    if (!path.ends_with("/index") && !path.ends_with("/columns") && !path.ends_with("/00000001"))
      continue;
    EXPECT_EQ(bytes[path.ends_with("/00000001") ? 8 : 4], kNewestFormat) << path;
    ++looked_at;
  }
  EXPECT_GE(looked_at, 3u);
}

}  // namespace
}  // namespace binnacle::store::metrics
