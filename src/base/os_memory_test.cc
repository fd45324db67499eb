#include "base/os_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace binnacle {
namespace {

// Pages of files that stand in memory.
long file_pages() {
  std::ifstream statm("/proc/self/statm");
  long size = 0;
  long resident = 0;
  long shared = 0;
  statm >> size >> resident >> shared;
  return shared;
}

TEST(OsMemory, PagesOfTheProgramGoAndComeBack) {
  const std::string before = testing::UnitTest::GetInstance()->current_test_info()->name();
  const long pages = file_pages();
  ASSERT_GT(pages, 0);
  give_back_idle_memory();
  EXPECT_LT(file_pages(), pages);
  EXPECT_EQ(before, "PagesOfTheProgramGoAndComeBack");
  give_back_idle_memory();
}

TEST(OsMemory, ReadsWhatThisMachineHas) {
  const auto bytes = available_memory_bytes(real_file_system());
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_GT(*bytes, 1 << 20);
}

}  // namespace
}  // namespace binnacle
