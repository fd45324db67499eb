#include "watch/alerts/matcher_text.h"

#include <gtest/gtest.h>

#include <string>

namespace binnacle::watch::alerts {
namespace {

std::string round_trip(std::string_view text) {
  const auto matchers = parse_matchers(text);
  return matchers ? format_matchers(*matchers) : matchers.error().message;
}

std::string error_of(std::string_view text) {
  const auto matchers = parse_matchers(text);
  return matchers ? "" : matchers.error().message;
}

TEST(MatcherText, IsReadWithAndWithoutBraces) {
  EXPECT_EQ(round_trip(""), "{}");
  EXPECT_EQ(round_trip("{}"), "{}");
  EXPECT_EQ(round_trip(R"(foo="bar")"), R"({foo="bar"})");
  EXPECT_EQ(round_trip(R"({foo="bar"})"), R"({foo="bar"})");
  EXPECT_EQ(round_trip(R"( { foo = "bar" , baz=~"x.*",a!="b", c !~ "d|e" , } )"),
            R"({foo="bar",baz=~"x.*",a!="b",c!~"d|e"})");
  EXPECT_EQ(round_trip("foo=bar,dings!=bums"), R"({foo="bar",dings!="bums"})");
}

TEST(MatcherText, TheOlderGrammarNeedsNoQuotes) {
  EXPECT_EQ(round_trip("foo=bar baz"), R"({foo="bar baz"})");
  EXPECT_EQ(round_trip("foo="), R"({foo=""})");
  EXPECT_EQ(round_trip("statuscode=~5.."), R"({statuscode=~"5.."})");
  EXPECT_EQ(round_trip("a:b=c"), R"({a:b="c"})");
  EXPECT_EQ(round_trip("foo=bar=baz"), R"({foo="bar=baz"})");
  EXPECT_EQ(round_trip("foo=C:\\dir"), R"({foo="C:\\dir"})");
}

TEST(MatcherText, TheNewerGrammarHasAnyNameInQuotes) {
  EXPECT_EQ(round_trip(R"("foo bar"="x")"), R"({"foo bar"="x"})");
  EXPECT_EQ(round_trip(R"("a.b"="x")"), R"({a.b="x"})");
  EXPECT_EQ(round_trip(R"(b\u00e4r="x")"), error_of(R"(b\u00e4r="x")"));
  EXPECT_EQ(round_trip("b\xC3\xA4r=\"x\""), "{b\xC3\xA4r=\"x\"}");
  EXPECT_EQ(round_trip(R"("b\u00e4r"="\t\x41\101")"), "{b\xC3\xA4r=\"\tAA\"}");
}

// Both grammars take it; the older one keeps a backslash that escapes nothing.
TEST(MatcherText, TheOlderGrammarWinsWhereTheyDiffer) {
  EXPECT_EQ(round_trip(R"(foo="a\tb")"), R"({foo="a\\tb"})");
  EXPECT_EQ(round_trip(R"(foo=~"a\.b")"), R"({foo=~"a\\.b"})");
}

TEST(MatcherText, EscapesSurviveTheRoundTrip) {
  EXPECT_EQ(round_trip(R"(foo="say \"hi, you\"",b="c\nd")"), R"({foo="say \"hi, you\"",b="c\nd"})");
  EXPECT_EQ(round_trip(R"(foo="back\\slash")"), R"({foo="back\\slash"})");
  EXPECT_EQ(round_trip(R"(foo="a,b}")"), R"({foo="a,b}"})");
}

TEST(MatcherText, ErrorsNameTheColumn) {
  EXPECT_EQ(error_of("foo bar"),
            "matchers (foo bar): one of =, !=, =~, !~ is expected at column 5");
  EXPECT_EQ(error_of(R"(a="b",!="c")"),
            "matchers (a=\"b\",!=\"c\"): a label name is expected at column 7");
  EXPECT_NE(error_of(R"({foo="bar)").find("a closing double quote"), std::string::npos);
  EXPECT_NE(error_of(R"(foo="a"b")").find("is expected at column 8"), std::string::npos);
  EXPECT_NE(error_of("=a").find("a label name is expected at column 1"), std::string::npos);
  EXPECT_NE(error_of(R"(""="x")").find("label name that is not empty"), std::string::npos);
  EXPECT_NE(error_of("foo=~\"(\"").find("parse regex"), std::string::npos);
  EXPECT_NE(error_of("foo=\"\xFF\"").find("not UTF-8"), std::string::npos);
  EXPECT_NE(error_of(std::string(kMaxMatcherTextBytes + 1, 'a')).find("too long"),
            std::string::npos);
}

TEST(MatcherText, OneMatcherHasNoBraces) {
  EXPECT_EQ(format_matcher(*parse_matcher("a=b")), R"(a="b")");
  EXPECT_FALSE(parse_matcher("{a=b}"));
  EXPECT_FALSE(parse_matcher("a=b,c=d"));
  EXPECT_FALSE(parse_matcher(""));
}

TEST(MatcherText, MatchersAreSortedByNameValueOperator) {
  auto matchers = *parse_matchers(R"(b="1",a=~"2",a!="1",a="1")");
  sort_matchers(matchers);
  EXPECT_EQ(format_matchers(matchers), R"({a="1",a!="1",a=~"2",b="1"})");
}

}  // namespace
}  // namespace binnacle::watch::alerts
