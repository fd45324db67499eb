#include "collect/host/linux/kernel_file.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::host {
namespace {

TEST(KernelFile, ReadsTheSameFileAnewEachTime) {
  const RecordedTree tree;
  tree.write("proc/x", "first");
  KernelFile file(real_file_system(), tree.path("proc/x"));
  EXPECT_EQ(file.read(), "first");
  tree.write("proc/x", "2nd");
  EXPECT_EQ(file.read(), "2nd");
}

TEST(KernelFile, GrowsToWhatTheFileNeeds) {
  const RecordedTree tree;
  KernelFile file(real_file_system(), tree.path("proc/x"));
  // Round the first size of the buffer, where off-by-one would show.
  for (const size_t size : {4095u, 4096u, 4097u, 100'000u}) {
    const std::string text(size, 'a');
    tree.write("proc/x", text);
    EXPECT_EQ(file.read(), text) << size;
  }
}

TEST(KernelFile, RefusesWhatIsTooLargeAndRecovers) {
  const RecordedTree tree;
  tree.write("proc/x", std::string(KernelFile::kMaxBytes, 'a'));
  KernelFile file(real_file_system(), tree.path("proc/x"));
  const auto text = file.read();
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Code::kOutOfRange);
  tree.write("proc/x", "small");
  EXPECT_EQ(file.read(), "small");
}

TEST(KernelFile, AFileThatIsNotThereIsNotOfferedUntilItComes) {
  const RecordedTree tree;
  KernelFile file(real_file_system(), tree.path("proc/x"));
  const auto absent = file.read_if_offered();
  ASSERT_TRUE(absent);
  EXPECT_EQ(*absent, std::nullopt);
  EXPECT_EQ(file.read().error().code, Code::kNotFound);
  tree.write("proc/x", "here");
  EXPECT_EQ(file.read(), "here");
}

// What a device does that is pulled out and put back: its open descriptors fail, a new one works.
// Only what a KernelFile calls is passed on.
class PullableFiles final : public FileSystem {
 public:
  class File final : public ReadableFile {
   public:
    File(PullableFiles& files, std::unique_ptr<ReadableFile> file)
        : files_(files), generation_(files.generation), file_(std::move(file)) {}
    Result<size_t> read_at(uint64_t offset, std::span<char> out) const override {
      if (generation_ != files_.generation) return fail(errno_error("read", ENODEV));
      return file_->read_at(offset, out);
    }
    Result<uint64_t> size() const override { return file_->size(); }

   private:
    PullableFiles& files_;
    const int generation_;
    std::unique_ptr<ReadableFile> file_;
  };

  Result<std::unique_ptr<ReadableFile>> open_readable(const std::string& path) override {
    ++opened;
    TRY_ASSIGN(auto file, real_file_system().open_readable(path));
    return std::make_unique<File>(*this, std::move(file));
  }

  Result<std::unique_ptr<WritableFile>> open_writable(const std::string&, Create,
                                                      uint32_t) override {
    return not_called();
  }
  Result<std::unique_ptr<MappedFile>> map(const std::string&) override { return not_called(); }
  Result<std::unique_ptr<FileLock>> lock(const std::string&) override { return not_called(); }
  Result<std::vector<DirEntry>> list(const std::string&) override { return not_called(); }
  Status create_directories(const std::string&) override { return not_called(); }
  Status rename(const std::string&, const std::string&) override { return not_called(); }
  Status link(const std::string&, const std::string&) override { return not_called(); }
  Status remove(const std::string&) override { return not_called(); }
  Status remove_all(const std::string&) override { return not_called(); }
  Status sync_dir(const std::string&) override { return not_called(); }
  Status truncate(const std::string&, uint64_t) override { return not_called(); }
  bool exists(const std::string&) override { return false; }
  Result<DiskSpace> space(const std::string&) override { return not_called(); }

  int generation = 0;
  int opened = 0;

 private:
  static Unexpected not_called() { return fail(Code::kUnimplemented, "not for a KernelFile"); }
};

TEST(KernelFile, StaysOpenAndOpensAnewWhenReadingFails) {
  const RecordedTree tree;
  tree.write("proc/x", "text");
  PullableFiles files;
  KernelFile file(files, tree.path("proc/x"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(file.read(), "text");
  EXPECT_EQ(files.opened, 1);
  ++files.generation;
  EXPECT_EQ(file.read(), "text");
  EXPECT_EQ(files.opened, 2);
}

}  // namespace
}  // namespace binnacle::collect::host
