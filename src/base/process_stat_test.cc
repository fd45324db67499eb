#include "base/process_stat.h"

#include <gtest/gtest.h>

namespace binnacle {
namespace {

TEST(ProcessStat, ReadsFieldsBehindAnyName) {
  const auto stat = parse_process_stat(
      "7 (a) R (b)) D 3 1 1 0 -1 0 10 0 20 0 30 40 0 0 20 0 5 0 600 7000 80 1 2\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, "D");
  EXPECT_EQ(stat->parent, 3);
  EXPECT_EQ(stat->minor_faults, 10);
  EXPECT_EQ(stat->major_faults, 20);
  EXPECT_EQ(stat->user_ticks, 30);
  EXPECT_EQ(stat->system_ticks, 40);
  EXPECT_EQ(stat->threads, 5);
  EXPECT_EQ(stat->start_ticks, 600);
  EXPECT_EQ(stat->virtual_bytes, 7000);
  EXPECT_EQ(stat->resident_pages, 80);
  EXPECT_FALSE(parse_process_stat("7 (a) D 3 1"));
}

}  // namespace
}  // namespace binnacle
