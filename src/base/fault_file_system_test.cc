#include "base/fault_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <set>

namespace binnacle {
namespace {

using ::testing::HasSubstr;
using Create = FileSystem::Create;

std::unique_ptr<WritableFile> open(FileSystem& files, const std::string& path,
                                   Create how = Create::kAppend) {
  auto file = files.open_writable(path, how);
  EXPECT_TRUE(file) << file.error().message;
  return std::move(*file);
}

// A file whose bytes and name survive any crash.
void put_durable(FileSystem& files, const std::string& path, std::string_view bytes) {
  const auto file = open(files, path, Create::kTruncate);
  ASSERT_TRUE(file->append(bytes));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(files.sync_dir(parent_folder(path)));
}

std::string get(FileSystem& files, const std::string& path) {
  auto bytes = files.read_file(path);
  return bytes ? *bytes : std::string("error: ").append(code_name(bytes.error().code));
}

TEST(FaultFileSystem, APowerCutTakesBytesThatWereNotSynced) {
  FaultFileSystem files;
  put_durable(files, "/wal", "kept");
  const auto file = open(files, "/wal");
  ASSERT_TRUE(file->append(" lost"));
  EXPECT_EQ(get(files, "/wal"), "kept lost");
  files.crash(Crash::kPowerCut);
  EXPECT_EQ(get(files, "/wal"), "kept");
}

TEST(FaultFileSystem, AKilledProcessLosesNothingItWrote) {
  FaultFileSystem files;
  const auto file = open(files, "/wal");
  ASSERT_TRUE(file->append("written"));
  files.crash(Crash::kKill);
  EXPECT_EQ(get(files, "/wal"), "written");
}

TEST(FaultFileSystem, APowerCutTakesNamesWhoseFolderWasNotSynced) {
  FaultFileSystem files;
  const auto file = open(files, "/new");
  ASSERT_TRUE(file->append("x"));
  ASSERT_TRUE(file->sync());
  files.crash(Crash::kPowerCut);
  EXPECT_FALSE(files.exists("/new"));
}

TEST(FaultFileSystem, APowerCutUndoesRenamesAndRemovals) {
  FaultFileSystem files;
  put_durable(files, "/a", "A");
  put_durable(files, "/b", "B");
  put_durable(files, "/c", "C");
  ASSERT_TRUE(files.rename("/a", "/b"));
  ASSERT_TRUE(files.remove("/c"));
  files.crash(Crash::kPowerCut);
  EXPECT_EQ(get(files, "/a"), "A");
  EXPECT_EQ(get(files, "/b"), "B");
  EXPECT_EQ(get(files, "/c"), "C");
}

TEST(FaultFileSystem, SyncingOneFolderDoesNotSaveAnother) {
  FaultFileSystem files;
  ASSERT_TRUE(files.create_directories("/x"));
  ASSERT_TRUE(files.create_directories("/y"));
  open(files, "/x/a");
  open(files, "/y/b");
  ASSERT_TRUE(files.sync_dir("/y"));
  files.crash(Crash::kPowerCut);
  EXPECT_FALSE(files.exists("/x/a"));
  EXPECT_TRUE(files.exists("/y/b"));
}

// A move must not be half durable: neither lost nor, once its target is synced, in both folders.
TEST(FaultFileSystem, ARenameAcrossFoldersIsOneStep) {
  for (const char* const synced : {"/x", "/y"}) {
    FaultFileSystem files;
    ASSERT_TRUE(files.create_directories("/x"));
    ASSERT_TRUE(files.create_directories("/y"));
    put_durable(files, "/x/old", "bytes");
    ASSERT_TRUE(files.rename("/x/old", "/x/mid"));
    ASSERT_TRUE(files.rename("/x/mid", "/y/new"));
    ASSERT_TRUE(files.sync_dir(synced));
    files.crash(Crash::kPowerCut);
    EXPECT_EQ(get(files, "/y/new"), "bytes");
    EXPECT_FALSE(files.exists("/x/old"));
    EXPECT_FALSE(files.exists("/x/mid"));
  }
}

TEST(FaultFileSystem, FoldersMadeAreDurableEvenAfterARemovalOfTheSameName) {
  FaultFileSystem files;
  ASSERT_TRUE(files.create_directories("/d/e"));
  ASSERT_TRUE(files.remove_all("/d"));
  ASSERT_TRUE(files.create_directories("/d/e"));
  files.crash(Crash::kPowerCut);
  EXPECT_TRUE(files.exists("/d/e"));
}

TEST(FaultFileSystem, TornPowerKeepsAPrefixOfTheNewBytesAndAllOfTheOld) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    FaultFileSystem files(seed);
    put_durable(files, "/wal", "old.");
    ASSERT_TRUE(open(files, "/wal")->append("new"));
    files.crash(Crash::kTornPower);
    const std::string bytes = get(files, "/wal");
    seen.insert(bytes);
    ASSERT_TRUE(bytes.starts_with("old."));
    // What is there of the tail is as written, or zeros where the sector never came.
    std::string as_written = "old.new";
    std::string as_zeros = std::string("old.\0\0\0", 7);
    as_written.resize(bytes.size());
    as_zeros.resize(bytes.size());
    ASSERT_TRUE(bytes == as_written || bytes == as_zeros) << seed;
  }
  EXPECT_EQ(seen.size(), 7u) << "4 prefixes and 3 runs of zeros";
}

TEST(FaultFileSystem, TornPowerKeepsChangesOfNamesInTheirOrder) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    FaultFileSystem files(seed);
    for (const char* const path : {"/1", "/2", "/3"}) open(files, path);
    files.crash(Crash::kTornPower);
    std::string names;
    const auto entries = files.list("/").value();
    for (const auto& entry : entries) names += entry.name;
    seen.insert(names);
  }
  EXPECT_THAT(seen, ::testing::ElementsAre("", "1", "12", "123"));
}

TEST(FaultFileSystem, TheSameSeedTearsTheSameWay) {
  const auto run = [](uint64_t seed) {
    FaultFileSystem files(seed);
    put_durable(files, "/a", "");
    EXPECT_TRUE(open(files, "/a")->append(std::string(100'000, 'x')));
    files.crash(Crash::kTornPower);
    return get(files, "/a");
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

TEST(FaultFileSystem, ATruncationThatWasNotSyncedIsUndone) {
  FaultFileSystem files;
  put_durable(files, "/wal", "0123456789");
  ASSERT_TRUE(files.truncate("/wal", 4));
  ASSERT_TRUE(open(files, "/wal")->append("xx"));
  EXPECT_EQ(get(files, "/wal"), "0123xx");
  files.crash(Crash::kPowerCut);
  EXPECT_EQ(get(files, "/wal"), "0123456789");

  ASSERT_TRUE(files.truncate("/wal", 4));
  ASSERT_TRUE(open(files, "/wal")->sync());
  files.crash(Crash::kPowerCut);
  EXPECT_EQ(get(files, "/wal"), "0123");
}

TEST(FaultFileSystem, WhatIsOpenDiesWithTheCrash) {
  FaultFileSystem files;
  put_durable(files, "/a", "x");
  const auto writable = open(files, "/a");
  const auto readable = files.open_readable("/a");
  const auto lock = files.lock("/LOCK");
  ASSERT_TRUE(readable && lock);
  files.crash(Crash::kKill);
  char out[1];
  EXPECT_EQ(writable->append("y").error().code, Code::kUnavailable);
  EXPECT_EQ(writable->sync().error().code, Code::kUnavailable);
  EXPECT_EQ((*readable)->read_at(0, out).error().code, Code::kUnavailable);
  EXPECT_EQ(get(files, "/a"), "x");
  EXPECT_TRUE(files.lock("/LOCK"));
}

TEST(FaultFileSystem, AnOldLockDoesNotFreeItsSuccessor) {
  FaultFileSystem files;
  auto old = files.lock("/LOCK");
  files.crash(Crash::kKill);
  const auto held = files.lock("/LOCK");
  ASSERT_TRUE(old && held);
  old->reset();
  EXPECT_FALSE(files.lock("/LOCK"));
}

TEST(FaultFileSystem, FailsTheNthCallOfAKindOnce) {
  FaultFileSystem files;
  files.inject({.op = FileOp::kSync, .nth = 2, .error_number = EIO});
  const auto file = open(files, "/a");
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(files.faults_left(), 1u);
  EXPECT_EQ(file->sync().error().message, "sync /a: Input/output error");
  EXPECT_EQ(files.faults_left(), 0u);
  EXPECT_TRUE(file->sync());
}

TEST(FaultFileSystem, FailsEachKindWithTheErrnoAsked) {
  struct Case {
    FileOp op;
    std::function<Code(FaultFileSystem&)> call;
  };
  const auto code = [](const auto& result) {
    return result ? Code::kInternal : result.error().code;
  };
  const Case cases[] = {
      {FileOp::kOpenRead, [&](auto& files) { return code(files.open_readable("/a")); }},
      {FileOp::kOpenWrite,
       [&](auto& files) { return code(files.open_writable("/a", Create::kAppend, 0644)); }},
      {FileOp::kRead, [&](auto& files) { return code(files.read_file("/a")); }},
      {FileOp::kMap, [&](auto& files) { return code(files.map("/a")); }},
      {FileOp::kList, [&](auto& files) { return code(files.list("/")); }},
      {FileOp::kLock, [&](auto& files) { return code(files.lock("/a")); }},
      {FileOp::kSyncDir, [&](auto& files) { return code(files.sync_dir("/")); }},
      {FileOp::kTruncate, [&](auto& files) { return code(files.truncate("/a", 0)); }},
      {FileOp::kRename, [&](auto& files) { return code(files.rename("/a", "/b")); }},
      {FileOp::kLink, [&](auto& files) { return code(files.link("/a", "/b")); }},
      {FileOp::kRemove, [&](auto& files) { return code(files.remove("/a")); }},
      {FileOp::kCreateDirectories,
       [&](auto& files) { return code(files.create_directories("/d")); }},
  };
  for (const Case& each : cases) {
    FaultFileSystem files;
    put_durable(files, "/a", "x");
    files.inject({.op = each.op, .error_number = EACCES});
    EXPECT_EQ(each.call(files), Code::kPermissionDenied) << static_cast<int>(each.op);
    EXPECT_EQ(get(files, "/a"), "x") << "a call that fails changes nothing";
    EXPECT_NE(each.call(files), Code::kPermissionDenied) << static_cast<int>(each.op);
  }
}

TEST(FaultFileSystem, FaultsCanBeTiedToAPathAndLast) {
  FaultFileSystem files;
  files.inject({.op = FileOp::kWrite, .nth = 2, .path_part = "wal", .lasting = true});
  const auto wal = open(files, "/wal-1");
  const auto other = open(files, "/other");
  EXPECT_TRUE(wal->append("1"));
  EXPECT_TRUE(other->append("x"));
  EXPECT_FALSE(wal->append("2"));
  EXPECT_FALSE(wal->append("3"));
  EXPECT_TRUE(other->append("y"));
  EXPECT_EQ(files.faults_left(), 0u);
  files.clear_faults();
  EXPECT_TRUE(wal->append("4"));
}

TEST(FaultFileSystem, AFailedWriteLeavesAPrefix) {
  std::set<uint64_t> sizes;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    FaultFileSystem files(seed);
    files.inject({.op = FileOp::kWrite});
    const auto file = open(files, "/a");
    EXPECT_FALSE(file->append("abc"));
    EXPECT_TRUE(std::string_view("abc").starts_with(get(files, "/a")));
    EXPECT_EQ(file->size(), get(files, "/a").size());
    sizes.insert(file->size());
  }
  EXPECT_THAT(sizes, ::testing::ElementsAre(0, 1, 2, 3));
}

// Linux drops the dirty mark of pages it could not write: the next sync says yes and the bytes are
// gone.
TEST(FaultFileSystem, ASyncAfterAFailedOneDoesNotSaveItsBytes) {
  FaultFileSystem files;
  put_durable(files, "/wal", "ok.");
  const auto file = open(files, "/wal");
  ASSERT_TRUE(file->append("bad"));
  files.inject({.op = FileOp::kSync});
  ASSERT_FALSE(file->sync());
  ASSERT_TRUE(file->append(".end"));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(get(files, "/wal"), "ok.bad.end");
  files.crash(Crash::kPowerCut);
  EXPECT_EQ(get(files, "/wal"), std::string("ok.\0\0\0.end", 10));
}

TEST(FaultFileSystem, AFullDiskTakesWhatFits) {
  FaultFileSystem files;
  files.set_capacity(10);
  const auto file = open(files, "/a");
  ASSERT_TRUE(file->append("1234567"));
  EXPECT_EQ(files.space("/").value().available_bytes, 3u);
  EXPECT_EQ(file->append("89abcd").error().code, Code::kResourceExhausted);
  EXPECT_EQ(get(files, "/a"), "123456789a");
  ASSERT_TRUE(files.truncate("/a", 2));
  EXPECT_TRUE(file->append("12345678"));
  files.set_capacity(std::nullopt);
  EXPECT_TRUE(file->append("more"));
}

TEST(FaultFileSystem, AFileOfTwoNamesTakesItsSpaceOnce) {
  FaultFileSystem files;
  files.set_capacity(10);
  ASSERT_TRUE(open(files, "/a")->append("123456"));
  ASSERT_TRUE(files.link("/a", "/b"));
  EXPECT_EQ(files.space("/").value().available_bytes, 4u);
}

TEST(FaultFileSystem, ACorruptByteStaysCorrupt) {
  FaultFileSystem files;
  put_durable(files, "/a", "abc");
  files.corrupt("/a", 1, 0x20);
  EXPECT_EQ(get(files, "/a"), "aBc");
  files.crash(Crash::kPowerCut);
  EXPECT_EQ(get(files, "/a"), "aBc");
}

TEST(FaultFileSystem, WithoutPowerNothingWorksUntilTheCrash) {
  FaultFileSystem files;
  put_durable(files, "/a", "x");
  const auto file = open(files, "/a");
  files.power_off_after(1);
  ASSERT_TRUE(file->append("y"));
  EXPECT_THAT(file->append("z").error().message, HasSubstr("the power is off"));
  EXPECT_FALSE(file->sync());
  EXPECT_FALSE(files.read_file("/a"));
  EXPECT_FALSE(files.exists("/a"));
  files.crash(Crash::kKill);
  EXPECT_EQ(get(files, "/a"), "xy");
}

// The promise of write_file_atomically, with the power cut at each of its steps, and the example of
// how other rooms test theirs.
TEST(FaultFileSystem, AnAtomicWriteIsOldOrNewWhereverThePowerGoes) {
  FaultFileSystem whole;
  put_durable(whole, "/state", "old");
  const uint64_t before = whole.changes();
  ASSERT_TRUE(whole.write_file_atomically("/state", "new"));
  const uint64_t steps = whole.changes() - before;
  EXPECT_EQ(steps, 5u) << "open, write, sync, rename, sync the folder";

  for (const Crash kind : {Crash::kKill, Crash::kPowerCut, Crash::kTornPower}) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      for (uint64_t step = 0; step <= steps; ++step) {
        FaultFileSystem files(seed);
        put_durable(files, "/state", "old");
        files.power_off_after(step);
        const bool acknowledged = files.write_file_atomically("/state", "new").has_value();
        EXPECT_EQ(acknowledged, step == steps);
        files.crash(kind);
        const std::string bytes = get(files, "/state");
        ASSERT_TRUE(bytes == "new" || (bytes == "old" && !acknowledged))
            << bytes << " at step " << step << ", seed " << seed;
      }
    }
  }
}

TEST(FaultFileSystem, AnAtomicWriteThatFailsKeepsTheOldFileAndCleansUp) {
  for (const FileOp op : {FileOp::kOpenWrite, FileOp::kWrite, FileOp::kSync, FileOp::kRename}) {
    FaultFileSystem files;
    put_durable(files, "/state", "old");
    files.inject({.op = op, .error_number = ENOSPC});
    EXPECT_EQ(files.write_file_atomically("/state", "new").error().code, Code::kResourceExhausted);
    EXPECT_EQ(get(files, "/state"), "old");
    EXPECT_EQ(files.list("/").value().size(), 1u) << "nothing lies beside it";
  }
}

}  // namespace
}  // namespace binnacle
