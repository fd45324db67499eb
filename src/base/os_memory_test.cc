#include "base/os_memory.h"

#include <gtest/gtest.h>

namespace binnacle {
namespace {

TEST(OsMemoryTest, ReadsWhatThisMachineHas) {
  const auto bytes = available_memory_bytes(real_file_system());
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_GT(*bytes, 1 << 20);
}

}  // namespace
}  // namespace binnacle
