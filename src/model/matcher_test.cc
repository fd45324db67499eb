#include "model/matcher.h"

#include <gtest/gtest.h>

namespace binnacle::model {
namespace {

Matcher make(MatchOp op, std::string value) {
  auto matcher = Matcher::create(op, "job", std::move(value));
  EXPECT_TRUE(matcher.has_value());
  return *matcher;
}

TEST(Matcher, EqualAndNotEqual) {
  EXPECT_TRUE(make(MatchOp::kEqual, "a").matches("a"));
  EXPECT_FALSE(make(MatchOp::kEqual, "a").matches("ab"));
  EXPECT_TRUE(make(MatchOp::kNotEqual, "a").matches("ab"));
  EXPECT_TRUE(make(MatchOp::kEqual, "").matches_empty());
  EXPECT_FALSE(make(MatchOp::kNotEqual, "").matches_empty());
}

TEST(Matcher, RegexIsAnchoredOnBothEndsAlternativesIncluded) {
  const Matcher matcher = make(MatchOp::kRegex, "a|bc");
  EXPECT_TRUE(matcher.matches("a"));
  EXPECT_TRUE(matcher.matches("bc"));
  EXPECT_FALSE(matcher.matches("abc"));
  EXPECT_FALSE(matcher.matches("ax"));
  EXPECT_TRUE(make(MatchOp::kNotRegex, "a|bc").matches("abc"));
}

TEST(Matcher, DotTakesNewlines) { EXPECT_TRUE(make(MatchOp::kRegex, "a.b").matches("a\nb")); }

TEST(Matcher, ABrokenRegexIsNamed) {
  const auto matcher = Matcher::create(MatchOp::kRegex, "job", "a(");
  ASSERT_FALSE(matcher.has_value());
  EXPECT_EQ(matcher.error().code, Code::kInvalidArgument);
  EXPECT_NE(matcher.error().message.find(R"(job=~"a(")"), std::string::npos)
      << matcher.error().message;
}

TEST(Matcher, AbsentLabelMatchesAsEmpty) {
  const Labels labels = {{"__name__", "up"}};
  EXPECT_TRUE(matches_all({make(MatchOp::kNotEqual, "a")}, labels));
  EXPECT_TRUE(matches_all({make(MatchOp::kRegex, ".*")}, labels));
  EXPECT_FALSE(matches_all({make(MatchOp::kRegex, ".+")}, labels));
}

}  // namespace
}  // namespace binnacle::model
