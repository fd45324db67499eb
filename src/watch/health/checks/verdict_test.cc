#include "watch/health/checks/verdict.h"

#include <gtest/gtest.h>

namespace binnacle::watch::health {
namespace {

TEST(Verdict, WritesBytesWithoutExponents) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1.5 * 1024 * 1024 * 1024), "1.5 GiB");
  EXPECT_EQ(bytes_text(999.4 * 1024), "999 KiB");
  EXPECT_EQ(bytes_text(1020 * 1024), "1020 KiB");
  EXPECT_EQ(bytes_text(-1023), "-1023 B");
}

}  // namespace
}  // namespace binnacle::watch::health
