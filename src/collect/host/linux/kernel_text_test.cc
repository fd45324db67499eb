#include "collect/host/linux/kernel_text.h"

#include <gtest/gtest.h>

namespace binnacle::collect::host {
namespace {

TEST(KernelText, LinesEndAtNewlinesAndTheLastNeedsNone) {
  std::string_view rest = "one\n\nthree";
  std::string_view line;
  ASSERT_TRUE(next_line(rest, line));
  EXPECT_EQ(line, "one");
  ASSERT_TRUE(next_line(rest, line));
  EXPECT_EQ(line, "");
  ASSERT_TRUE(next_line(rest, line));
  EXPECT_EQ(line, "three");
  EXPECT_FALSE(next_line(rest, line));
}

TEST(KernelText, FieldsStandBetweenBlanks) {
  std::string_view rest = "  a\t bc ";
  EXPECT_EQ(next_field(rest), "a");
  EXPECT_EQ(next_field(rest), "bc");
  EXPECT_EQ(next_field(rest), "");
  EXPECT_EQ(next_field(rest), "");
}

TEST(KernelText, NumbersAreWholeAndFinite) {
  EXPECT_EQ(parse_number("18446744073709551615"), 18446744073709551615.0);
  EXPECT_EQ(parse_number("0.25"), 0.25);
  EXPECT_EQ(parse_number("-1"), -1);
  for (const char* bad : {"", " 1", "1 ", "1x", "nan", "inf", "0x10", "1e999", "--1"}) {
    EXPECT_EQ(parse_number(bad), std::nullopt) << bad;
  }
}

TEST(KernelText, IntegersMayBeHexadecimal) {
  EXPECT_EQ(parse_integer("0x1003"), 4099);
  EXPECT_EQ(parse_integer("-1"), -1);
  for (const char* bad : {"", "0x", "1.5", "9223372036854775808", "12a"}) {
    EXPECT_EQ(parse_integer(bad), std::nullopt) << bad;
  }
}

TEST(Faults, TellTheFirstAndCutWhatIsLong) {
  Faults faults;
  EXPECT_FALSE(faults.any());
  faults.add({});
  EXPECT_FALSE(faults.any());
  faults.bad("/proc/x", "the value", std::string(1000, 'y'));
  faults.bad("/proc/z", "later", "v");
  const Status status = faults.take();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kDataLoss);
  EXPECT_EQ(status.error().message,
            "read /proc/x: cannot make sense of the value (" + std::string(60, 'y') + ")");
}

}  // namespace
}  // namespace binnacle::collect::host
