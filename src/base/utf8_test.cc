#include "base/utf8.h"

#include <gtest/gtest.h>

namespace binnacle {
namespace {

using namespace std::string_view_literals;

// An encoder by the definition, to be held against the decoder.
std::string encode(uint32_t c) {
  const auto byte = [](uint32_t b) { return static_cast<char>(b); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F))};
  if (c < 0x10000) {
    return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F))};
  }
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F)),
          byte(0x80 | (c & 0x3F))};
}

TEST(Utf8, TakesEveryCharacterAndNoSurrogate) {
  for (uint32_t c = 0; c < 0x120000; ++c) {
    const bool character = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
    const std::string text = encode(c);
    ASSERT_EQ(is_valid_utf8(text), character) << std::hex << c;
    if (character) {
      ASSERT_EQ(utf8_step(text).bytes, text.size()) << std::hex << c;
    }
  }
}

TEST(Utf8, RefusesBrokenSequences) {
  for (const std::string_view bytes :
       {"\x80"sv, "\xC0\x80"sv, "\xC1\xBF"sv, "\xE0\x9F\xBF"sv, "\xF0\x8F\xBF\xBF"sv,
        "\xF5\x80\x80\x80"sv, "\xFF"sv, "\xC3"sv, "\xE2\x82"sv, "\xF0\x9F\x98"sv, "\xE2(\xA1"sv,
        "12345678901234567890\xC3("sv}) {
    EXPECT_FALSE(is_valid_utf8(bytes)) << bytes;
  }
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8("a\0b"sv));
}

// Table 3-8 of the Unicode standard: one U+FFFD for each maximal subpart.
TEST(Utf8, ReplacesEachMaximalSubpart) {
  const std::string r(kReplacementCharacter);
  EXPECT_EQ(to_valid_utf8("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
            "a" + r + r + r + "b" + r + "c" + r + r + "d");
  EXPECT_EQ(to_valid_utf8("\xED\xA0\x80"), r + r + r);
  EXPECT_EQ(to_valid_utf8("\xE2\x82"), r);
  EXPECT_EQ(to_valid_utf8("grün \xF0\x9F\xA7\xAD"), "grün \xF0\x9F\xA7\xAD");
}

}  // namespace
}  // namespace binnacle
