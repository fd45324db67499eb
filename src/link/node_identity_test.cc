#include "link/node_identity.h"

#include <gtest/gtest.h>
#include <filesystem>

#include "base/random.h"

namespace binnacle::link {
namespace {

class NodeIdentityTest : public testing::Test {
 protected:
  ~NodeIdentityTest() override { (void)files_.remove_all(folder_); }

  FileSystem& files_ = real_file_system();
  const std::string folder_ = testing::TempDir() + "agent-" + secure_random_hex(8);
};

TEST_F(NodeIdentityTest, IsMadeOnceAndKept) {
  std::string id;
  {
    auto first = NodeIdentity::open(folder_, files_);
    ASSERT_TRUE(first) << first.error().message;
    id = first->node_id();
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(first->key(), "");
    ASSERT_TRUE(first->keep_key("bnk_secret"));
  }
  const auto again = NodeIdentity::open(folder_, files_);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->node_id(), id);
  EXPECT_EQ(again->key(), "bnk_secret");
  namespace fs = std::filesystem;
  EXPECT_EQ(fs::status(folder_ + "/agent_key").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(NodeIdentityTest, OneAgentHasAFolder) {
  const auto first = NodeIdentity::open(folder_, files_);
  ASSERT_TRUE(first);
  const auto second = NodeIdentity::open(folder_, files_);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("--data DIR"), std::string::npos);
}

TEST_F(NodeIdentityTest, ADamagedIdIsNamedAndNotReplaced) {
  ASSERT_TRUE(files_.create_directories(folder_));
  ASSERT_TRUE(files_.write_file_atomically(folder_ + "/node_id", "123\n"));
  const auto opened = NodeIdentity::open(folder_, files_);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find(folder_ + "/node_id"), std::string::npos);
}

}  // namespace
}  // namespace binnacle::link
