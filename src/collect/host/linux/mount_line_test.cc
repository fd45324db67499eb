#include "collect/host/linux/mount_line.h"

#include <gtest/gtest.h>

namespace binnacle::collect::host {
namespace {

TEST(MountLine, UndoesEscapesAndFindsReadOnly) {
  const auto mount =
      parse_mount_line(R"(/dev/sdb1 /mnt/my\040disk\011x\134 ext4 nosuid,ro,relatime 0 0)");
  ASSERT_TRUE(mount);
  EXPECT_EQ(mount->device, "/dev/sdb1");
  EXPECT_EQ(mount->mount_point, "/mnt/my disk\tx\\");
  EXPECT_EQ(mount->type, "ext4");
  EXPECT_TRUE(mount->read_only);
}

TEST(MountLine, OptionsThatMerelyBeginWithRoAreNotReadOnly) {
  EXPECT_FALSE(parse_mount_line("a /a ext4 rw,root=x,errors=ro 0 0")->read_only);
  EXPECT_TRUE(parse_mount_line("a /a ext4 ro 0 0")->read_only);
}

TEST(MountLine, NeedsFourFields) {
  EXPECT_FALSE(parse_mount_line(""));
  EXPECT_FALSE(parse_mount_line("/dev/sda / ext4"));
  EXPECT_EQ(parse_mount_line(R"(a /x\04 ext4 rw)")->mount_point, R"(/x\04)");  // no whole escape
}

}  // namespace
}  // namespace binnacle::collect::host
