#include "net/base64.h"

#include <gtest/gtest.h>

namespace binnacle::net {
namespace {

TEST(Base64, DecodesKnownAnswersOfRfc4648) {
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_EQ(decode_base64("Zg=="), "f");
  EXPECT_EQ(decode_base64("Zm8="), "fo");
  EXPECT_EQ(decode_base64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(decode_base64("+/8="), "\xfb\xff");
  EXPECT_EQ(decode_base64("A"), std::nullopt);
  EXPECT_EQ(decode_base64("-_8"), "\xfb\xff");
  EXPECT_EQ(decode_base64("Zm9v.mFy"), std::nullopt);
}

TEST(Base64, EncodesWithPadding) {
  EXPECT_EQ(encode_base64(""), "");
  EXPECT_EQ(encode_base64("f"), "Zg==");
  EXPECT_EQ(encode_base64("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace binnacle::net
