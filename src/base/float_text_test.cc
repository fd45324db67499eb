#include "base/float_text.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace binnacle {
namespace {

std::string json(double value) {
  std::string out;
  append_float_json(out, value);
  return out;
}

std::string text(double value) {
  std::string out;
  append_float_text(out, value);
  return out;
}

// Expected texts: Go's strconv.FormatFloat with 'f' or 'e' as Prometheus' API chooses, and with
// 'g'.
TEST(FloatText, JsonIsPlainUntilTheExponentIsLarge) {
  EXPECT_EQ(json(0), "0");
  EXPECT_EQ(json(-0.0), "-0");
  EXPECT_EQ(json(1), "1");
  EXPECT_EQ(json(-1.5), "-1.5");
  EXPECT_EQ(json(0.1), "0.1");
  EXPECT_EQ(json(0.000001), "0.000001");
  EXPECT_EQ(json(0.0000001), "1e-7");
  EXPECT_EQ(json(123456789), "123456789");
  EXPECT_EQ(json(1e20), "100000000000000000000");
  EXPECT_EQ(json(1e21), "1e+21");
  EXPECT_EQ(json(1.25e-10), "1.25e-10");
  EXPECT_EQ(json(1.0 / 3), "0.3333333333333333");
}

TEST(FloatText, TextTakesAnExponentFromAMillionUp) {
  EXPECT_EQ(text(0), "0");
  EXPECT_EQ(text(999999), "999999");
  EXPECT_EQ(text(1e6), "1e+06");
  EXPECT_EQ(text(1234567), "1.234567e+06");
  EXPECT_EQ(text(123456.75), "123456.75");
  EXPECT_EQ(text(0.0001), "0.0001");
  EXPECT_EQ(text(0.00001), "1e-05");
  EXPECT_EQ(text(1.7e308), "1.7e+308");
}

// The shortest digits, padded: not the exact value, which for 2^64 ends in 551616.
TEST(FloatText, LargeNumbersPadTheShortestDigits) {
  EXPECT_EQ(json(123456789012345680000.0), "123456789012345680000");
  EXPECT_EQ(json(18446744073709551616.0), "18446744073709552000");
  EXPECT_EQ(text(18446744073709551616.0), "1.8446744073709552e+19");
  EXPECT_EQ(text(5e-324), "5e-324");
  EXPECT_EQ(json(-5e-324), "-5e-324");
}

TEST(FloatText, SpecialValuesAreWords) {
  EXPECT_EQ(json(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(text(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(json(std::nan("")), "NaN");
}

// Quick ways for what has few decimals must not be told from the general one.
TEST(FloatText, FewDecimalsAreTheShortestText) {
  uint64_t state = 1;
  for (int i = 0; i < 200'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const double scale = std::pow(10, static_cast<double>(state >> 60) - 4);
    const double value = static_cast<double>(static_cast<int64_t>(state >> (10 + i % 50))) / scale *
                         (i % 2 == 0 ? 1 : -1);
    const std::string got = json(value);
    EXPECT_EQ(std::strtod(got.c_str(), nullptr), value) << got;
    char shortest[400];
    const auto end =
        std::to_chars(shortest, shortest + sizeof(shortest), value, std::chars_format::scientific);
    const auto digits = [](std::string_view number) {
      std::string out;
      for (const char c : number.substr(0, number.find('e'))) {
        if (c >= '0' && c <= '9' && (c != '0' || !out.empty())) out += c;
      }
      while (out.ends_with('0')) out.pop_back();
      return out;
    };
    EXPECT_EQ(digits(got), digits({shortest, end.ptr})) << value;
  }
}

}  // namespace
}  // namespace binnacle
