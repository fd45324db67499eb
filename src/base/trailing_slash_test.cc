#include "base/trailing_slash.h"

#include <gtest/gtest.h>

namespace binnacle {
namespace {

TEST(TrailingSlash, IsTakenAwayAndNothingElse) {
  EXPECT_EQ(without_trailing_slash("http://a/b//"), "http://a/b");
  EXPECT_EQ(without_trailing_slash("http://a/b"), "http://a/b");
  EXPECT_EQ(without_trailing_slash("/"), "");
  EXPECT_EQ(without_trailing_slash(""), "");
}

}  // namespace
}  // namespace binnacle
