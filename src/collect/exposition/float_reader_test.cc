#include "collect/exposition/float_reader.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace binnacle::collect::exposition {
namespace {

TEST(ReadFloat, TakesWhatPrometheusTakes) {
  const std::pair<std::string_view, double> cases[] = {
      {"0", 0},         {"-0", -0.0},
      {"+1", 1},        {"1.", 1},
      {".5", 0.5},      {"1e3", 1000},
      {"1E+3", 1000},   {"12345678901234567890", 12345678901234567890.0},
      {"1e-400", 0},    {"-1.5", -1.5},
      {"0.1", 0.1},     {"9007199254740993", 9007199254740992},
      {"1e308", 1e308}, {"5e-324", 5e-324},
  };
  for (const auto& [text, value] : cases) {
    const auto read = read_float(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(std::bit_cast<uint64_t>(*read), std::bit_cast<uint64_t>(value)) << text;
  }
  for (const std::string_view text : {"Inf", "+inf", "INFINITY", "+Infinity"})
    EXPECT_EQ(read_float(text), HUGE_VAL) << text;
  EXPECT_EQ(read_float("-Inf"), -HUGE_VAL);
  for (const std::string_view text : {"NaN", "nan", "NAN"})
    EXPECT_TRUE(std::isnan(read_float(text).value())) << text;
}

TEST(ReadFloat, RefusesTheRest) {
  for (const std::string_view text :
       {"", "+", "-", ".", "e5", "1e", "1_000", "0x1p3", "0x1", "1p3", "1e309", "-nan", "infin",
        "1 ", " 1", "--1", "+-1", "1,5", "nan(1)"})
    EXPECT_FALSE(read_float(text)) << text;
}

// The short way and the library agree on every plain decimal.
TEST(ReadPlainFloat, AgreesWithTheLibrary) {
  SeededRandom random(7);
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t digits = random.next() >> random.below(64);
    std::string text = std::to_string(digits);
    const auto decimals = random.below(text.size() + 1);
    if (decimals != 0) text.insert(text.size() - decimals, ".");
    if (random.below(2) == 0) text.insert(0, "-");
    const std::string line = text + "\n";
    const char* at = line.data();
    const auto plain = read_plain_float(at, line.data() + line.size());
    if (!plain) {
      EXPECT_EQ(at, line.data());
      continue;
    }
    EXPECT_EQ(at, line.data() + text.size());
    EXPECT_EQ(std::bit_cast<uint64_t>(*plain), std::bit_cast<uint64_t>(read_float(text).value()))
        << text;
  }
}

TEST(ReadPlainFloat, LeavesTheOddToTheOther) {
  for (const std::string text :
       {"1e5", "NaN", "", "-", ".", "1.5x", "12345678901234567890", "0.00000000000000000001234"}) {
    const char* at = text.data();
    EXPECT_FALSE(read_plain_float(at, text.data() + text.size())) << text;
    EXPECT_EQ(at, text.data());
  }
}

TEST(OpenMetricsFloat, HasAPointOrAnExponent) {
  const std::pair<double, std::string_view> cases[] = {
      {0, "0.0"},   {1, "1.0"},           {-1, "-1.0"},       {0.5, "0.5"},
      {10, "10.0"}, {1'000'000, "1e+06"}, {HUGE_VAL, "+Inf"}, {-HUGE_VAL, "-Inf"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(openmetrics_float(value), text);
}

}  // namespace
}  // namespace binnacle::collect::exposition
