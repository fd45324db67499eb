#include "base/regex_replace.h"

#include <gtest/gtest.h>

namespace binnacle {
namespace {

std::string replace(const char* regex, std::string_view text, std::string_view with) {
  return regex_replace_all(re2::RE2(regex), text, with, 1000);
}

TEST(RegexReplace, DoesWhatGoDoes) {
  EXPECT_EQ(replace("a(x*)b", "-ab-axxb-", "T"), "-T-T-");
  EXPECT_EQ(replace("a(x*)b", "-ab-axxb-", "$1"), "--xx-");
  EXPECT_EQ(replace("a(x*)b", "-ab-axxb-", "$1W"), "---");
  EXPECT_EQ(replace("a(x*)b", "-ab-axxb-", "${1}W"), "-W-xxW-");
  EXPECT_EQ(replace("a(?P<n>x*)b", "axxb", "[$n|$$|$]"), "[xx|$|$]");
  EXPECT_EQ(replace("x*", "abc", "-"), "-a-b-c-");
  EXPECT_EQ(replace("x*", "axc", "-"), "-a-c-");
  EXPECT_EQ(replace("", "é", "-"), "-é-");
  EXPECT_EQ(replace("^a", "aaa", "b"), "baa");
}

}  // namespace
}  // namespace binnacle
