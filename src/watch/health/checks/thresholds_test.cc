#include "watch/health/checks/thresholds.h"

#include <gtest/gtest.h>

#include <cmath>

namespace binnacle::watch::health {
namespace {

std::string again(std::string_view text, std::optional<Compare> bare = std::nullopt) {
  const auto read = parse_comparison(text, bare);
  return read ? read->text() : "none";
}

TEST(Thresholds, ReadsComparisons) {
  EXPECT_EQ(again("> 0.9"), "> 0.9");
  EXPECT_EQ(again(" >=90% "), ">= 0.9");
  EXPECT_EQ(again("< -1e3"), "< -1000");
  EXPECT_EQ(again("!= 1"), "!= 1");
  EXPECT_EQ(again("5", Compare::kBelow), "< 5");
  EXPECT_EQ(again("> 5", Compare::kBelow), "> 5");
  for (const char* bad : {"", "5", ">", "> five", "> 5 6", "=> 5", "> nan", "> inf"})
    EXPECT_EQ(again(bad), "none") << bad;
}

TEST(Thresholds, JudgesAndNamesTheReason) {
  const Thresholds up{parse_comparison("> 1", {}), parse_comparison("> 2", {})};
  EXPECT_EQ(up.judge(1), Health::kHealthy);
  EXPECT_EQ(up.judge(1.5), Health::kDegraded);
  EXPECT_EQ(up.judge(3), Health::kCritical);
  EXPECT_EQ(up.judge(NAN), Health::kUnknown);
  EXPECT_EQ(up.reason(1.5), "> 1");
  EXPECT_EQ(up.reason(3), "> 2");
  EXPECT_EQ(up.reason(0), "");
}

TEST(Thresholds, KnowsWhichValueIsWorse) {
  const Thresholds up{parse_comparison("> 1", {}), {}};
  EXPECT_TRUE(up.worse(5, 4));
  EXPECT_TRUE(up.worse(0.5, 0.4));
  EXPECT_FALSE(up.worse(4, 5));
  const Thresholds down{{}, parse_comparison("< 7", {})};
  EXPECT_TRUE(down.worse(3, 20));
  EXPECT_TRUE(down.worse(20, 30));
  const Thresholds off{{}, parse_comparison("!= 1", {})};
  EXPECT_TRUE(off.worse(0, 1));
  EXPECT_TRUE(off.worse(9, 2));
}

TEST(Thresholds, WorseHealthHasUnknownBesideHealthyOnly) {
  EXPECT_EQ(worse_of(Health::kHealthy, Health::kUnknown), Health::kUnknown);
  EXPECT_EQ(worse_of(Health::kDegraded, Health::kUnknown), Health::kDegraded);
  EXPECT_EQ(worse_of(Health::kFailed, Health::kCritical), Health::kFailed);
}

}  // namespace
}  // namespace binnacle::watch::health
