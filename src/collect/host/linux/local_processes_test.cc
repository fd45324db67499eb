#include "collect/host/linux/local_processes.h"

#include <gmock/gmock.h>

#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::host {
namespace {

using testing::ElementsAre;

constexpr const char* kHeading =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";

class LocalProcessesTest : public testing::Test {
 protected:
  void process(const std::string& pid, const std::string& name, const std::string& command,
               const std::vector<std::string>& links) {
    tree_.write("proc/" + pid + "/comm", name + "\n");
    tree_.write("proc/" + pid + "/cmdline", command);
    for (size_t i = 0; i < links.size(); ++i) {
      const std::string path = tree_.path("proc/" + pid + "/fd/" + std::to_string(i));
      std::filesystem::create_directories(std::filesystem::path(path).parent_path());
      std::filesystem::create_symlink(links[i], path);
    }
  }
  std::vector<model::LocalProcess> listening() {
    auto found = LocalProcesses(real_file_system(), tree_.path("proc")).listening();
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or(std::vector<model::LocalProcess>{});
  }

  RecordedTree tree_;
};

TEST_F(LocalProcessesTest, FindsWhoListensWhere) {
  tree_.write("proc/net/tcp",
              std::string(kHeading) +
                  "   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  "
                  "1000        0 4711 1 0000000000000000 100 0 0 10 0\n"
                  "   1: 0100007F:1F40 0100007F:C350 01 00000000:00000000 00:00000000 00000000  "
                  "1000        0 4712 1 0000000000000000 100 0 0 10 0\n"
                  "   2: 00000000:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     "
                  "0        0 99 1 0000000000000000 100 0 0 10 0\n");
  tree_.write(
      "proc/net/tcp6",
      std::string(kHeading) +
          "   0: 00000000000000000000000000000000:1F42 00000000000000000000000000000000:0000 "
          "0A 00000000:00000000 00:00000000 00000000  1000        0 4720 1 0 100 0 0 10 0\n");
  process("120", "python3", std::string("vllm\0serve\0a b\0", 15),
          {"socket:[4712]", "socket:[4720]", "/dev/null", "socket:[4711]", "anon_inode:[eventfd]"});
  process("7", "idle", "", {"socket:[1]"});
  const auto found = listening();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].pid, 0) << "the socket that nobody shows";
  EXPECT_THAT(found[0].ports, ElementsAre(11434));
  EXPECT_EQ(found[1].pid, 120);
  EXPECT_EQ(found[1].name, "python3");
  EXPECT_EQ(found[1].command_line, "vllm serve a b");
  EXPECT_THAT(found[1].ports, ElementsAre(8000, 8002));
}

TEST_F(LocalProcessesTest, BrokenLinesAreNobodys) {
  tree_.write("proc/net/tcp", std::string(kHeading) +
                                  "\n   0: nonsense\n"
                                  "   1: 0100007F:ZZZZ 0:0 0A a b c d e 5 6\n"
                                  "   2: 0100007F:1F40 0:0 0A a b c\n");
  EXPECT_TRUE(listening().empty());
}

TEST_F(LocalProcessesTest, WithoutSocketTablesIsAnError) {
  EXPECT_FALSE(LocalProcesses(real_file_system(), tree_.path("proc")).listening());
}

}  // namespace
}  // namespace binnacle::collect::host
