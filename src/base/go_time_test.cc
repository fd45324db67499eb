#include "base/go_time.h"

#include <gtest/gtest.h>

#include "base/time_zone.h"

namespace binnacle {
namespace {

constexpr int64_t kTime = 1'704'164'645;  // 2024-01-02 03:04:05 UTC, a Tuesday

std::string format(std::string_view layout, int nanoseconds = 0, const std::string& zone = "") {
  return format_go_time(kTime, nanoseconds, zone, layout).value_or("error");
}

TEST(GoTime, LayoutsOfGo) {
  EXPECT_EQ(format("Mon Jan _2 15:04:05 2006"), "Tue Jan  2 03:04:05 2024");
  EXPECT_EQ(format("Monday, 02-Jan-06 15:04:05 MST"), "Tuesday, 02-Jan-24 03:04:05 UTC");
  EXPECT_EQ(format("2006-01-02T15:04:05Z07:00"), "2024-01-02T03:04:05Z");
  EXPECT_EQ(format("2006-01-02T15:04:05.999999999Z07:00", 120'000'000), "2024-01-02T03:04:05.12Z");
  EXPECT_EQ(format("05.000 05,000 05.999", 1'500'000), "05.001 05,001 05.001");
  EXPECT_EQ(format("3:04PM 3:4:5pm 03 January 1 2 002"), "3:04AM 3:4:5am 03 January 1 2 002");
  EXPECT_EQ(format("Month Monday _2006"), "Month Tuesday _2024");
  EXPECT_EQ(format("2006-01-02 15:04 -0700 -07:00 MST", 0, "Europe/Berlin"),
            "2024-01-02 04:04 +0100 +01:00 CET");
}

TEST(GoTime, UnknownZonesAreRefused) {
  for (const char* zone : {"Nowhere/At", "/etc/passwd", "../etc/passwd", "file:/etc/passwd",
                           "libc:localtime", "Fixed/UTC+01:00:00"})
    EXPECT_FALSE(check_time_zone(zone)) << zone;
  EXPECT_TRUE(check_time_zone("America/New_York"));
}

TEST(GoTime, Durations) {
  EXPECT_EQ(format_go_duration(0), "0s");
  EXPECT_EQ(format_go_duration(999), "999ns");
  EXPECT_EQ(format_go_duration(1'500), "1.5µs");
  EXPECT_EQ(format_go_duration(2'000'000), "2ms");
  EXPECT_EQ(format_go_duration(-90'000'000'000), "-1m30s");
  EXPECT_EQ(format_go_duration(3'600'000'000'000), "1h0m0s");
  EXPECT_EQ(format_go_duration(1'001'000'000), "1.001s");
}

}  // namespace
}  // namespace binnacle
