#include "base/config_units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace binnacle {
namespace {

using ::testing::HasSubstr;

TEST(Duration, AddsUpItsParts) {
  EXPECT_EQ(parse_duration_ms("0").value(), 0);
  EXPECT_EQ(parse_duration_ms("0s").value(), 0);
  EXPECT_EQ(parse_duration_ms("250ms").value(), 250);
  EXPECT_EQ(parse_duration_ms("1h30m").value(), 5'400'000);
  EXPECT_EQ(parse_duration_ms("1y2w3d4h5m6s7ms").value(),
            ((((365 + 14 + 3) * 24LL + 4) * 60 + 5) * 60 + 6) * 1000 + 7);
  EXPECT_EQ(parse_duration_ms("1000y").value(), 365'000LL * 86'400'000);
}

TEST(Duration, RefusesWhatPrometheusRefuses) {
  for (const char* bad : {"", "5", "s", "-5s", "1.5h", "30m1h", "1h1h", "1 h", "1h ", "5min", "1H",
                          "00", "+1s", "1001y", "999y53w", "99999999999999999999s"}) {
    EXPECT_FALSE(parse_duration_ms(bad)) << bad;
  }
  EXPECT_THAT(parse_duration_ms("5min").error().message, HasSubstr("(5min): write whole numbers"));
  EXPECT_EQ(parse_duration_ms("1001y").error().code, Code::kOutOfRange);
}

TEST(Duration, IsWrittenShort) {
  EXPECT_EQ(format_duration_ms(0), "0s");
  EXPECT_EQ(format_duration_ms(90'000), "1m30s");
  EXPECT_EQ(format_duration_ms(7 * 86'400'000LL), "1w");
  EXPECT_EQ(format_duration_ms(8 * 86'400'000LL), "8d");
  EXPECT_EQ(format_duration_ms(365 * 86'400'000LL), "1y");
}

TEST(Duration, ReadsBackWhatItWrote) {
  for (int64_t ms = 1; ms < int64_t{1} << 44; ms = ms * 3 + 7) {
    EXPECT_EQ(parse_duration_ms(format_duration_ms(ms)).value_or(-1), ms);
  }
}

TEST(Bytes, KnowsBothKindsOfUnit) {
  EXPECT_EQ(parse_bytes("0").value(), 0);
  EXPECT_EQ(parse_bytes("512").value(), 512);
  EXPECT_EQ(parse_bytes("512B").value(), 512);
  EXPECT_EQ(parse_bytes("32KiB").value(), 32 * 1024);
  EXPECT_EQ(parse_bytes("2kB").value(), 2000);
  EXPECT_EQ(parse_bytes("2KB").value(), 2000);
  EXPECT_EQ(parse_bytes("100MB").value(), 100'000'000);
  EXPECT_EQ(parse_bytes("1GiB").value(), int64_t{1} << 30);
  EXPECT_EQ(parse_bytes("8191PiB").value(), int64_t{8191} << 50);
}

TEST(Bytes, RefusesWhatHasNoWholeNumberOrUnit) {
  for (const char* bad :
       {"", "KiB", "1.5GiB", "-1", "1 KiB", "1kib", "1Kb", "8192PiB", "9223372036854775808"}) {
    EXPECT_FALSE(parse_bytes(bad)) << bad;
  }
  EXPECT_EQ(parse_bytes("8192PiB").error().code, Code::kOutOfRange);
}

TEST(Bytes, AreWrittenInTheLargestUnitThatIsExact) {
  EXPECT_EQ(format_bytes(0), "0B");
  EXPECT_EQ(format_bytes(32 * 1024), "32KiB");
  EXPECT_EQ(format_bytes(100'000'000), "100MB");
  EXPECT_EQ(format_bytes(2000), "2kB");
  EXPECT_EQ(format_bytes(1001), "1001B");
  EXPECT_EQ(parse_bytes(format_bytes(std::numeric_limits<int64_t>::max())).value(),
            std::numeric_limits<int64_t>::max());
}

}  // namespace
}  // namespace binnacle
