#include "base/letter_case.h"

#include <gtest/gtest.h>

namespace binnacle {
namespace {

TEST(LetterCase, KnowsLatinGreekAndCyrillic) {
  EXPECT_EQ(to_upper("aZ1 éÿßž łσς жё"), "AZ1 ÉŸßŽ ŁΣΣ ЖЁ");
  EXPECT_EQ(to_lower("AZ1 ÉŸ×Ž ŁΣ ЖЁ"), "az1 éÿ×ž łσ жё");
  EXPECT_EQ(to_upper("\xff\xfe"), "\xff\xfe");
}

TEST(LetterCase, TitleStartsWords) {
  EXPECT_EQ(to_title("node down: it's BAD foo_bar a-b", false), "Node Down: It's BAD Foo_bar A-B");
  EXPECT_EQ(to_title("node DOWN", true), "Node Down");
}

}  // namespace
}  // namespace binnacle
