#include "base/time_text.h"

#include <gtest/gtest.h>

namespace binnacle {
namespace {

TEST(TimeText, Rfc3339) {
  EXPECT_EQ(*parse_rfc3339_ms("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(*parse_rfc3339_ms("2023-11-14T22:13:20.1239Z"), 1'700'000'000'123);
  EXPECT_EQ(*parse_rfc3339_ms("2023-11-14T23:13:20+01:00"), 1'700'000'000'000);
  EXPECT_EQ(*parse_rfc3339_ms("2023-11-14T17:43:20-04:30"), 1'700'000'000'000);
  EXPECT_EQ(*parse_rfc3339_ms("2024-02-29T00:00:00Z"), 1'709'164'800'000);
  EXPECT_EQ(*parse_rfc3339_ms("1969-12-31T23:59:59.5Z"), -500);
}

TEST(TimeText, ImpossibleTimesAreRefusedByName) {
  for (const char* text : {"", "2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z",
                           "2023-01-01T24:00:00Z", "2023-01-01 00:00:00Z", "2023-01-01T00:00:00",
                           "2023-01-01T00:00:00Zx", "-001-01-01T00:00:00Z"}) {
    const auto parsed = parse_rfc3339_ms(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_NE(parsed.error().message.find(text), std::string::npos);
  }
}

TEST(TimeText, UnixSecondsKeepMilliseconds) {
  EXPECT_EQ(*parse_time_ms("1700000000"), 1'700'000'000'000);
  EXPECT_EQ(*parse_time_ms("1700000000.1234"), 1'700'000'000'123);
  EXPECT_EQ(*parse_time_ms("-1.5"), -1500);
  EXPECT_EQ(*parse_time_ms("1.7e9"), 1'700'000'000'000);
  EXPECT_EQ(*parse_time_ms("2023-11-14T22:13:20Z"), 1'700'000'000'000);
  for (const char* text : {"", "now", "NaN", "inf", "1e300", "12s"})
    EXPECT_FALSE(parse_time_ms(text).has_value()) << text;
}

}  // namespace
}  // namespace binnacle
