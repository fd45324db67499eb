#include "base/data_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace binnacle {
namespace {

class DataFolderTest : public testing::Test {
 protected:
  DataFolderTest() {
    char path[] = "/tmp/binnacle-data-XXXXXX";
    root_ = mkdtemp(path);
  }
  ~DataFolderTest() override { (void)files_.remove_all(root_); }

  FileSystem& files_ = real_file_system();
  std::string root_;
};

TEST_F(DataFolderTest, IsMadeWithItsParentsAndLeftEmpty) {
  ASSERT_TRUE(prepare_data_folder(files_, root_ + "/a/b"));
  EXPECT_TRUE(files_.list(root_ + "/a/b")->empty());
  EXPECT_TRUE(prepare_data_folder(files_, root_ + "/a/b"));
}

TEST_F(DataFolderTest, AFileInItsPlaceIsNamedWithTheWayOut) {
  ASSERT_TRUE(files_.write_file_atomically(root_ + "/file", "x"));
  const Status prepared = prepare_data_folder(files_, root_ + "/file");
  ASSERT_FALSE(prepared);
  EXPECT_NE(prepared.error().message.find(root_ + "/file"), std::string::npos);
  EXPECT_NE(prepared.error().message.find("--data DIR"), std::string::npos)
      << prepared.error().message;
}

TEST_F(DataFolderTest, AFolderThatRefusesWritesIsNamed) {
  // /proc refuses new files to everyone, root included.
  const Status prepared = prepare_data_folder(files_, "/proc/self");
  ASSERT_FALSE(prepared);
  EXPECT_NE(prepared.error().message.find("data folder /proc/self"), std::string::npos);
}

}  // namespace
}  // namespace binnacle
