#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::host {
namespace {

const HostOptions kDefaults;

class FilesystemPartTest : public testing::Test {
 protected:
  std::unique_ptr<Part> part(const Source& source) {
    return filesystem_part(
        source, filter(kDefaults.mount_exclude), filter(kDefaults.file_system_exclude),
        std::make_unique<MountProbe>(
            MountProbe::Options{.wait_ms = 60'000}, clock_,
            [root = tree_.path("root")](const std::string& path) -> Result<MountUsage> {
              if (path == root + "/broken")
                return fail(Code::kUnavailable, "statfs: broken (test)");
              if (!path.starts_with(root)) return fail(Code::kNotFound, "statfs: not below root");
              return MountUsage{.size_bytes = 1000,
                                .free_bytes = 300,
                                .available_bytes = 200,
                                .files = 50,
                                .files_free = 40};
            }));
  }

  RecordedTree tree_;
  SimulatedClock clock_;
};

TEST_F(FilesystemPartTest, TellsSizesOfWhatIsNotExcluded) {
  tree_.write("proc/1/mounts",
              "/dev/vda / ext4 rw 0 0\n/dev/vda / ext4 rw 0 0\n"
              "tmpfs /dev/shm tmpfs rw 0 0\noverlay /data overlay rw 0 0\n"
              "/dev/sdb /srv/my\\040disk xfs ro 0 0\n/dev/sdc /broken xfs rw 0 0\n");
  PartRunner runner(part(tree_.source()));
  const Samples samples = runner.run();
  EXPECT_TRUE(runner.succeeded());
  EXPECT_EQ(samples.size(), 7u + 7u + 1u);
  const std::string root = R"({device="/dev/vda", fstype="ext4", mountpoint="/"})";
  EXPECT_EQ(samples.at("node_filesystem_size_bytes" + root), 1000);
  EXPECT_EQ(samples.at("node_filesystem_free_bytes" + root), 300);
  EXPECT_EQ(samples.at("node_filesystem_avail_bytes" + root), 200);
  EXPECT_EQ(samples.at("node_filesystem_files" + root), 50);
  EXPECT_EQ(samples.at("node_filesystem_files_free" + root), 40);
  EXPECT_EQ(samples.at("node_filesystem_readonly" + root), 0);
  EXPECT_EQ(samples.at("node_filesystem_device_error" + root), 0);
  const std::string disk = R"({device="/dev/sdb", fstype="xfs", mountpoint="/srv/my disk"})";
  EXPECT_EQ(samples.at("node_filesystem_readonly" + disk), 1);
  EXPECT_EQ(
      samples.at(
          R"(node_filesystem_device_error{device="/dev/sdc", fstype="xfs", mountpoint="/broken"})"),
      1);
}

TEST_F(FilesystemPartTest, AnUnmountedFileSystemGoesStale) {
  tree_.write("proc/1/mounts", "/dev/vda / ext4 rw 0 0\n/dev/sdb /srv xfs rw 0 0\n");
  PartRunner runner(part(tree_.source()));
  runner.run();
  tree_.write("proc/1/mounts", "/dev/vda / ext4 rw 0 0\n");
  EXPECT_TRUE(model::is_stale(runner.run().at(
      R"(node_filesystem_size_bytes{device="/dev/sdb", fstype="xfs", mountpoint="/srv"})")));
}

TEST_F(FilesystemPartTest, TakesTheHostsRootOffTheNamesAndFallsBackToItsOwnView) {
  const std::string root = tree_.path("root");
  tree_.write("proc/mounts", "/dev/vda " + root + " ext4 rw 0 0\n/dev/sdb " + root +
                                 "/srv xfs rw 0 0\n/dev/sdc " + root + "x xfs rw 0 0\ncut off\n");
  PartRunner runner(part(tree_.source()));
  const Samples samples = runner.run();
  EXPECT_FALSE(runner.succeeded());  // the line that is cut off
  EXPECT_TRUE(samples.contains(
      R"(node_filesystem_size_bytes{device="/dev/vda", fstype="ext4", mountpoint="/"})"));
  EXPECT_TRUE(samples.contains(
      R"(node_filesystem_size_bytes{device="/dev/sdb", fstype="xfs", mountpoint="/srv"})"));
  EXPECT_TRUE(samples.contains(
      R"(node_filesystem_size_bytes{device="/dev/sdc", fstype="xfs", mountpoint=")" + root +
      R"(x"})"));
}

TEST_F(FilesystemPartTest, NoListOfMountsIsAFailure) {
  PartRunner runner(part(tree_.source()));
  EXPECT_TRUE(runner.run().empty());
  EXPECT_FALSE(runner.succeeded());
}

}  // namespace
}  // namespace binnacle::collect::host
