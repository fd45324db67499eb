#include "store/access/secret_text.h"

#include "store/access/digest.h"

#include <gtest/gtest.h>

namespace binnacle::store::access {
namespace {

TEST(Digest, KnownAnswersOfFips180) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, ComparesWholeTexts) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
}

TEST(SecretText, WhatIsWrittenIsRead) {
  SystemRandom random;
  const SecretText made = make_secret(random);
  const std::string text = write_secret(SecretKind::kKey, made);
  EXPECT_EQ(text.size(), 4u + 8 + 1 + 64);
  const auto read = parse_secret(SecretKind::kKey, text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, made.id);
  EXPECT_EQ(read->secret, made.secret);
  EXPECT_NE(make_secret(random).secret, made.secret);
}

TEST(SecretText, AnythingElseIsRefused) {
  const std::string secret(64, 'a');
  EXPECT_TRUE(parse_secret(SecretKind::kKey, "bnk_01234567_" + secret));
  for (const std::string& wrong :
       {std::string(), std::string("bnk_"), "bnj_01234567_" + secret, "bnk_0123456_" + secret + "a",
        "bnk_01234567_" + secret + "a", "bnk_0123456g_" + secret, "bnk_01234567-" + secret,
        "bnk_01234567_" + std::string(64, 'A'), " bnk_01234567_" + secret}) {
    EXPECT_FALSE(parse_secret(SecretKind::kKey, wrong)) << wrong;
  }
}

}  // namespace
}  // namespace binnacle::store::access
