#include "store/metrics/store_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/metrics/store_test_run.h"

namespace binnacle::store::metrics {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kFlushAll = 4'000'000'000'000;

class StoreCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(run_.open());
    put_at(0);
    ASSERT_TRUE(run_.store->flush(kFlushAll));
    put_at(60'000);
    put_at(70'000);
  }
  void put_at(int64_t at) {
    ASSERT_TRUE(put(*run_.store, {{"__name__", "up"}}, run_.start_ms + at, 1));
  }
  StoreCheck check(bool thorough = true) {
    const uint64_t changes = run_.files.changes();
    auto checked = check_store(run_.files, "data", thorough);
    EXPECT_TRUE(checked) << checked.error().message;
    EXPECT_EQ(run_.files.changes(), changes) << "a check changes nothing";
    return std::move(*checked);
  }
  std::string first_of(const std::string& folder) {
    const auto entries = run_.files.list(folder);
    EXPECT_FALSE(entries->empty()) << folder;
    return folder + "/" + entries->back().name;
  }
  void damage(const std::string& path) {
    run_.files.corrupt(path, run_.files.read_file(path)->size() / 2);
  }

  StoreTestRun run_;
};

TEST_F(StoreCheckTest, AStoreThatIsNotThere) {
  EXPECT_EQ(check_store(run_.files, "nowhere", true).error().code, Code::kNotFound);
}

TEST_F(StoreCheckTest, AnEmptyFolderIsAnEmptyStore) {
  ASSERT_TRUE(run_.files.create_directories("empty"));
  const auto checked = check_store(run_.files, "empty", true);
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->problems(), 0u);
  EXPECT_THAT(checked->blocks, IsEmpty());
}

TEST_F(StoreCheckTest, AfterACleanEnd) {
  run_.close();
  const StoreCheck found = check();
  EXPECT_EQ(found.problems(), 0u);
  ASSERT_EQ(found.blocks.size(), 1u);
  EXPECT_EQ(found.blocks[0].meta.samples, 1u);
  EXPECT_GT(found.blocks[0].bytes, 0u);
  ASSERT_EQ(found.snapshots.size(), 1u);
  EXPECT_GT(found.snapshots[0].records, 0u);
  EXPECT_THAT(found.set_aside, IsEmpty());
}

TEST_F(StoreCheckTest, AfterAKillTheLogHoldsWhatTheSnapshotDoesNot) {
  run_.crash(Crash::kKill);
  const StoreCheck found = check();
  EXPECT_EQ(found.problems(), 0u);
  EXPECT_GE(found.wal.records, 2u);
}

TEST_F(StoreCheckTest, AnEndThatIsCutShortIsNoDamage) {
  run_.crash(Crash::kKill);
  std::string segment;
  const auto entries = run_.files.list("data/wal");
  ASSERT_TRUE(entries);
  for (const DirEntry& entry : *entries) {
    if (run_.files.read_file("data/wal/" + entry.name)->size() > 20)
      segment = "data/wal/" + entry.name;
  }
  ASSERT_NE(segment, "");
  ASSERT_TRUE(run_.files.truncate(segment, run_.files.read_file(segment)->size() - 3));
  const StoreCheck found = check();
  EXPECT_EQ(found.problems(), 0u) << found.wal.problem;
  EXPECT_TRUE(found.wal.torn_tail);
}

TEST_F(StoreCheckTest, DamageInTheLogIsTold) {
  for (int i = 0; i < 50; ++i) put_at(80'000 + i * 1000);
  run_.crash(Crash::kKill);
  const auto entries = run_.files.list("data/wal");
  ASSERT_TRUE(entries);
  for (const DirEntry& entry : *entries) {
    const std::string path = "data/wal/" + entry.name;
    if (run_.files.read_file(path)->size() > 200) damage(path);
  }
  const StoreCheck found = check();
  EXPECT_EQ(found.problems(), 1u);
  EXPECT_THAT(found.wal.problem, HasSubstr("segment"));
  EXPECT_FALSE(found.wal.torn_tail);
}

TEST_F(StoreCheckTest, ADamagedSnapshotIsTold) {
  run_.close();
  damage(first_of(first_of("data/snapshots")));
  const StoreCheck found = check();
  EXPECT_EQ(found.problems(), 1u);
  EXPECT_NE(found.snapshots.at(0).problem, "");
}

TEST_F(StoreCheckTest, ASnapshotWithoutEndIsTold) {
  run_.close();
  const std::string file = first_of(first_of("data/snapshots"));
  ASSERT_TRUE(run_.files.truncate(file, run_.files.read_file(file)->size() - 3));
  EXPECT_EQ(check().problems(), 1u);
}

TEST_F(StoreCheckTest, ADamagedBlockIsToldByItsName) {
  run_.close();
  const std::string block = first_of("data/blocks");
  damage(block + "/meta.json");
  const StoreCheck found = check(false);
  EXPECT_EQ(found.problems(), 1u);
  EXPECT_EQ("data/blocks/" + found.blocks.at(0).name, block);
  EXPECT_NE(found.blocks.at(0).problem, "");
}

TEST_F(StoreCheckTest, WhatAStartSetAsideIsListedAndIsNoProblem) {
  run_.close();
  const std::string block = first_of("data/blocks");
  damage(block + "/meta.json");
  ASSERT_TRUE(run_.open());
  run_.close();
  const StoreCheck found = check();
  EXPECT_EQ(found.problems(), 0u);
  EXPECT_THAT(found.blocks, IsEmpty());
  EXPECT_THAT(found.set_aside, ElementsAre(block.substr(5) + ".damaged"));
}

}  // namespace
}  // namespace binnacle::store::metrics
