// What FileSystem promises, asked of the real one and of the one that tests stand on: they must
// agree.
#include "base/file_system.h"

#include "base/check.h"
#include "base/fault_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <thread>

namespace binnacle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Create = FileSystem::Create;

class TempFolder {
 public:
  TempFolder() {
    std::string name = ::testing::TempDir() + "binnacle-files-XXXXXX";
    CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempFolder() { EXPECT_TRUE(real_file_system().remove_all(path_)); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

enum class Which { kReal, kFault };

class FileSystemTest : public ::testing::TestWithParam<Which> {
 protected:
  void SetUp() override { ASSERT_TRUE(files().create_directories(folder_.path())); }

  FileSystem& files() {
    return GetParam() == Which::kReal ? real_file_system() : static_cast<FileSystem&>(fault_);
  }
  std::string at(std::string_view name) const {
    return std::string(folder_.path()).append("/").append(name);
  }
  void put(std::string_view name, std::string_view bytes) {
    auto file = files().open_writable(at(name), Create::kTruncate);
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_TRUE((*file)->append(bytes));
    ASSERT_TRUE((*file)->sync());
    ASSERT_TRUE((*file)->close());
  }
  std::string get(std::string_view name) {
    auto bytes = files().read_file(at(name));
    return bytes ? *bytes : bytes.error().message;
  }
  std::vector<std::string> names(const std::string& path) {
    std::vector<std::string> names;
    const auto entries = files().list(path).value();
    for (const auto& entry : entries) names.push_back(entry.name);
    return names;
  }

  TempFolder folder_;
  FaultFileSystem fault_;
};

INSTANTIATE_TEST_SUITE_P(Both, FileSystemTest, ::testing::Values(Which::kReal, Which::kFault),
                         [](const auto& of) {
                           return of.param == Which::kReal ? "Real" : "Fault";
                         });

TEST_P(FileSystemTest, AppendsAndCountsWhatWasThere) {
  put("log", "one");
  auto file = files().open_writable(at("log"), Create::kAppend);
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->size(), 3u);
  ASSERT_TRUE((*file)->append(",two"));
  EXPECT_EQ((*file)->size(), 7u);
  EXPECT_EQ(get("log"), "one,two");
}

TEST_P(FileSystemTest, TruncatesOrRefusesAsAsked) {
  put("a", "old bytes");
  put("a", "new");
  EXPECT_EQ(get("a"), "new");
  EXPECT_EQ(files().open_writable(at("a"), Create::kExclusive).error().code, Code::kAlreadyExists);
  EXPECT_TRUE(files().open_writable(at("b"), Create::kExclusive));
}

TEST_P(FileSystemTest, AClosedFileRefusesMore) {
  auto file = files().open_writable(at("a"), Create::kTruncate);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->close());
  EXPECT_EQ((*file)->append("x").error().code, Code::kFailedPrecondition);
  EXPECT_EQ((*file)->sync().error().code, Code::kFailedPrecondition);
  EXPECT_TRUE((*file)->close());
}

TEST_P(FileSystemTest, ReadsAtAnyOffset) {
  put("a", "0123456789");
  const auto file = files().open_readable(at("a"));
  ASSERT_TRUE(file);
  char out[4];
  EXPECT_EQ((*file)->read_at(3, out).value(), 4u);
  EXPECT_EQ(std::string_view(out, 4), "3456");
  EXPECT_EQ((*file)->read_at(8, out).value(), 2u);
  EXPECT_EQ((*file)->read_at(10, out).value(), 0u);
  EXPECT_EQ((*file)->read_at(1000, out).value(), 0u);
  EXPECT_EQ((*file)->size().value(), 10u);
}

TEST_P(FileSystemTest, ErrorsNameTheFile) {
  const auto missing = files().open_readable(at("none"));
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_EQ(missing.error().message, "open " + at("none") + ": No such file or directory");
  EXPECT_EQ(files().open_writable(at("no/such"), Create::kTruncate).error().code, Code::kNotFound);
  EXPECT_EQ(files().read_file(folder_.path()).error().code, Code::kInvalidArgument);
  EXPECT_EQ(files().map(at("none")).error().code, Code::kNotFound);
  EXPECT_EQ(files().map(folder_.path()).error().code, Code::kInvalidArgument);
  EXPECT_EQ(files().list(at("none")).error().code, Code::kNotFound);
  EXPECT_EQ(files().remove(at("none")).error().code, Code::kNotFound);
  EXPECT_EQ(files().rename(at("none"), at("x")).error().code, Code::kNotFound);
  EXPECT_EQ(files().truncate(at("none"), 0).error().code, Code::kNotFound);
  EXPECT_EQ(files().sync_dir(at("none")).error().code, Code::kNotFound);
  EXPECT_EQ(files().space(at("none")).error().code, Code::kNotFound);
}

TEST_P(FileSystemTest, AMappingOutlivesItsName) {
  put("a", "mapped bytes");
  put("empty", "");
  auto mapped = files().map(at("a"));
  ASSERT_TRUE(mapped);
  ASSERT_TRUE(files().remove(at("a")));
  EXPECT_EQ((*mapped)->bytes(), "mapped bytes");
  auto empty = files().map(at("empty"));
  ASSERT_TRUE(empty);
  EXPECT_EQ((*empty)->bytes(), "");
}

TEST_P(FileSystemTest, ListsByNameAndTellsFolders) {
  ASSERT_TRUE(files().create_directories(at("d")));
  put("b", "");
  put("a", "");
  const auto entries = files().list(folder_.path()).value();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[2].name, "d");
  EXPECT_TRUE(entries[2].is_directory);
  EXPECT_FALSE(entries[0].is_directory);
}

TEST_P(FileSystemTest, CountsWhatIsInAFolder) {
  EXPECT_EQ(files().count(folder_.path()), 0u);
  put("a", "1");
  ASSERT_TRUE(files().create_directories(at("folder")));
  EXPECT_EQ(files().count(folder_.path()), 2u);
  EXPECT_EQ(files().count(at("none")).error().code, Code::kNotFound);
}

// However the kernel tells it, and without a look at what a link leads to.
TEST(RealFileSystem, CountsTheDescriptorsOfAProcess) {
  FileSystem& files = real_file_system();
  const size_t before = files.count("/proc/self/fd").value();
  EXPECT_EQ(before, files.list("/proc/self/fd").value().size());
  const auto held = files.open_readable("/proc/self/stat");
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(files.count("/proc/self/fd"), before + 1);
  EXPECT_GT(files.count("/proc/self").value(), 10u);
}

TEST(RealFileSystem, TellsLinksAndTimes) {
  const TempFolder folder;
  const std::string file = folder.path() + "/file";
  const std::string link = folder.path() + "/link";
  ASSERT_TRUE(real_file_system().write_file_atomically(file, "x"));
  ASSERT_EQ(::symlink("net:[4026531840]", link.c_str()), 0);
  EXPECT_EQ(real_file_system().read_link(link), "net:[4026531840]");
  EXPECT_FALSE(real_file_system().read_link(file));
  const timespec times[2] = {{1'700'000'000, 0}, {1'700'000'001, 250'000'000}};
  ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  EXPECT_EQ(real_file_system().modified_ms(file), 1'700'000'001'250);
  EXPECT_EQ(real_file_system().modified_ms(folder.path() + "/none").error().code, Code::kNotFound);
}

TEST_P(FileSystemTest, CreatesFoldersAllTheWayDown) {
  ASSERT_TRUE(files().create_directories(at("a//b/c/")));
  ASSERT_TRUE(files().create_directories(at("a/b/c")));
  EXPECT_THAT(names(at("a/b")), ElementsAre("c"));
  put("file", "");
  EXPECT_EQ(files().create_directories(at("file")).error().code, Code::kAlreadyExists);
  EXPECT_FALSE(files().create_directories(at("file/below")));
}

TEST_P(FileSystemTest, RenameReplaces) {
  put("a", "new");
  put("b", "old");
  ASSERT_TRUE(files().rename(at("a"), at("b")));
  EXPECT_EQ(get("b"), "new");
  EXPECT_FALSE(files().exists(at("a")));
}

TEST_P(FileSystemTest, RenameMovesAFolderButNotOntoAFullOne) {
  ASSERT_TRUE(files().create_directories(at("block.tmp")));
  put("block.tmp/chunks", "c");
  ASSERT_TRUE(files().rename(at("block.tmp"), at("block")));
  EXPECT_EQ(get("block/chunks"), "c");
  ASSERT_TRUE(files().create_directories(at("other")));
  EXPECT_EQ(files().rename(at("other"), at("block")).error().code, Code::kAlreadyExists);
  EXPECT_EQ(files().rename(at("block"), at("block/inside")).error().code, Code::kInvalidArgument);
}

TEST_P(FileSystemTest, LinkGivesASecondName) {
  put("a", "x");
  ASSERT_TRUE(files().link(at("a"), at("b")));
  ASSERT_TRUE(files().remove(at("a")));
  EXPECT_EQ(get("b"), "x");
  put("a", "y");
  EXPECT_EQ(files().link(at("a"), at("b")).error().code, Code::kAlreadyExists);
}

TEST_P(FileSystemTest, RemovesFilesAndEmptyFoldersAndWholeTrees) {
  ASSERT_TRUE(files().create_directories(at("t/u")));
  put("t/u/file", "");
  EXPECT_EQ(files().remove(at("t")).error().code, Code::kAlreadyExists);
  ASSERT_TRUE(files().remove(at("t/u/file")));
  ASSERT_TRUE(files().remove(at("t/u")));
  ASSERT_TRUE(files().create_directories(at("t/v/w")));
  ASSERT_TRUE(files().remove_all(at("t")));
  EXPECT_THAT(names(folder_.path()), IsEmpty());
  EXPECT_TRUE(files().remove_all(at("t")));
}

TEST_P(FileSystemTest, TruncatesShorterAndLonger) {
  put("a", "0123456789");
  ASSERT_TRUE(files().truncate(at("a"), 4));
  EXPECT_EQ(get("a"), "0123");
  ASSERT_TRUE(files().truncate(at("a"), 6));
  EXPECT_EQ(get("a"), std::string("0123\0\0", 6));
}

TEST_P(FileSystemTest, ALockIsHeldByOne) {
  auto held = files().lock(at("LOCK"));
  ASSERT_TRUE(held);
  EXPECT_EQ(files().lock(at("LOCK")).error().code, Code::kAlreadyExists);
  held->reset();
  EXPECT_TRUE(files().lock(at("LOCK")));
}

TEST_P(FileSystemTest, ReadFileKeepsToItsLimit) {
  put("a", std::string(100'000, 'x'));
  EXPECT_EQ(files().read_file(at("a"), 100'000).value().size(), 100'000u);
  const auto over = files().read_file(at("a"), 99'999);
  EXPECT_EQ(over.error().code, Code::kOutOfRange);
  EXPECT_THAT(over.error().message, HasSubstr("99999 bytes"));
}

TEST_P(FileSystemTest, WritesWholeFilesAtomicallyAndLeavesNothingBeside) {
  ASSERT_TRUE(files().write_file_atomically(at("a"), "first"));
  ASSERT_TRUE(files().write_file_atomically(at("a"), "second"));
  EXPECT_EQ(get("a"), "second");
  EXPECT_THAT(names(folder_.path()), ElementsAre("a"));
}

TEST_P(FileSystemTest, AtomicWriteIntoNoFolderFailsAndNamesIt) {
  const auto status = files().write_file_atomically(at("none/a"), "x");
  EXPECT_EQ(status.error().code, Code::kNotFound);
  EXPECT_THAT(status.error().message, HasSubstr(at("none/a")));
}

TEST_P(FileSystemTest, ManyWritersOfOneFileNeverMixTheirBytes) {
  std::vector<std::thread> writers;
  for (const char c : std::string_view("abcd")) {
    writers.emplace_back([this, c] {
      for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(files().write_file_atomically(at("shared"), std::string(20'000, c)));
      }
    });
  }
  for (auto& writer : writers) writer.join();
  const std::string bytes = get("shared");
  EXPECT_EQ(bytes, std::string(20'000, bytes[0]));
  EXPECT_THAT(names(folder_.path()), ElementsAre("shared"));
}

TEST_P(FileSystemTest, KnowsItsSpace) {
  const auto space = files().space(folder_.path());
  ASSERT_TRUE(space);
  EXPECT_GT(space->total_bytes, 0u);
  EXPECT_LE(space->available_bytes, space->total_bytes);
}

TEST(ParentFolder, IsWhatMustBeSynced) {
  EXPECT_EQ(parent_folder("/a/b"), "/a");
  EXPECT_EQ(parent_folder("/a"), "/");
  EXPECT_EQ(parent_folder("a"), ".");
  EXPECT_EQ(parent_folder("a/b"), "a");
}

// Every other page readable makes a line each in maps: far more than one read of a /proc file
// gives.
class ManyMappings {
 public:
  ManyMappings() {
    CHECK(start_ != MAP_FAILED);
    for (size_t page = 0; page < kPages; page += 2) {
      CHECK(::mprotect(static_cast<char*>(start_) + page * kPageBytes, kPageBytes, PROT_READ) == 0);
    }
  }
  ~ManyMappings() { CHECK(::munmap(start_, kPages * kPageBytes) == 0); }
  ManyMappings(const ManyMappings&) = delete;
  ManyMappings& operator=(const ManyMappings&) = delete;

  static constexpr size_t kPages = 2000;

 private:
  static constexpr size_t kPageBytes = 4096;
  void* const start_ =
      ::mmap(nullptr, kPages* kPageBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
};

TEST(PosixFileSystem, ReadsFilesOfProcThatClaimNoSize) {
  const ManyMappings mappings;
  const auto maps = real_file_system().read_file("/proc/self/maps");
  ASSERT_TRUE(maps);
  EXPECT_GT(std::ranges::count(*maps, '\n'), static_cast<ptrdiff_t>(ManyMappings::kPages));
  EXPECT_THAT(*maps, HasSubstr("[stack]")) << "which stands near the end";
  EXPECT_EQ(real_file_system().read_file("/proc/self/maps", 100).error().code, Code::kOutOfRange);
}

TEST(PosixFileSystem, ASecretIsForItsOwnerAlone) {
  const TempFolder folder;
  const std::string path = folder.path() + "/key";
  ASSERT_TRUE(real_file_system().write_file_atomically(path, "secret", 0600));
  struct stat facts {};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST(PosixFileSystem, ALockNamesItsHolder) {
  const TempFolder folder;
  const auto held = real_file_system().lock(folder.path() + "/LOCK");
  ASSERT_TRUE(held);
  EXPECT_THAT(real_file_system().lock(folder.path() + "/LOCK").error().message,
              HasSubstr("held by process " + std::to_string(::getpid())));
}

TEST(PosixFileSystem, GivesEveryDescriptorBack) {
  const TempFolder folder;
  FileSystem& files = real_file_system();
  const auto open_now = [&] { return files.list("/proc/self/fd").value().size(); };
  const size_t before = open_now();
  const std::string path = folder.path() + "/a";
  ASSERT_TRUE(files.write_file_atomically(path, "x"));
  ASSERT_TRUE(files.map(path));
  ASSERT_TRUE(files.lock(path));
  ASSERT_TRUE(files.read_file(path));
  ASSERT_TRUE(files.sync_dir(folder.path()));
  ASSERT_FALSE(files.read_file(folder.path()));
  EXPECT_EQ(open_now(), before);
}

TEST(PosixFileSystem, AFullDeviceIsAFullDisk) {
  auto file = real_file_system().open_writable("/dev/full", Create::kAppend);
  ASSERT_TRUE(file) << file.error().message;
  const auto status = (*file)->append("x");
  EXPECT_EQ(status.error().code, Code::kResourceExhausted);
  EXPECT_EQ((*file)->size(), 0u);
}

}  // namespace
}  // namespace binnacle
