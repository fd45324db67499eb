#include "query/promql/selector.h"

#include <gtest/gtest.h>

namespace binnacle::query::promql {
namespace {

std::string parsed(std::string_view text) {
  const auto matchers = parse_selector(text);
  if (!matchers) return matchers.error().message;
  std::string out;
  for (const auto& matcher : *matchers) out += (out.empty() ? "" : " ") + matcher.to_string();
  return out;
}

TEST(Selector, Forms) {
  EXPECT_EQ(parsed("up"), R"(__name__="up")");
  EXPECT_EQ(parsed(" vllm:requests_total { } "), R"(__name__="vllm:requests_total")");
  EXPECT_EQ(parsed(R"(up{job="a",instance!='b',x=~"c.*",y!~`d\d`,})"),
            R"(__name__="up" job="a" instance!="b" x=~"c.*" y!~"d\\d")");
  EXPECT_EQ(parsed(R"({__name__=~"node_.+"})"), R"(__name__=~"node_.+")");
  EXPECT_EQ(parsed(R"({"http.status", "a b"="c\n\"d"})"),
            "__name__=\"http.status\" a b=\"c\n\\\"d\"");
}

TEST(Selector, ErrorsSayWhereAndWhatWasExpected) {
  EXPECT_EQ(parsed(""), R"(1:1: parse error: expected a metric name or "{")");
  EXPECT_EQ(parsed("up{job}"), R"(1:7: parse error: expected one of "=", "!=", "=~", "!~")");
  EXPECT_EQ(parsed("up{job=a}"), "1:8: parse error: expected a quoted string");
  EXPECT_EQ(parsed("up{job=\"a\""), R"(1:11: parse error: expected "," or "}")");
  EXPECT_EQ(parsed("up{job=\"a"), "1:10: parse error: expected the closing quote");
  EXPECT_EQ(parsed("up\n{job=\"\\q\"}"), R"(2:9: parse error: expected one of \n \t \r \\ \" \')");
  EXPECT_EQ(parsed("rate(up[5m])"),
            "1:5: parse error: expected the end: only plain selectors are answered here");
  EXPECT_EQ(parsed(R"(up{__name__="down"})").find("expected one metric name") != std::string::npos,
            true);
  EXPECT_NE(parsed(R"(up{a=~"("})").find("parse regex"), std::string::npos);
}

TEST(Selector, ASelectorOfEverythingIsRefused) {
  EXPECT_NE(parsed("{}").find("at least one non-empty matcher"), std::string::npos);
  EXPECT_NE(parsed(R"({a=~".*"})").find("at least one non-empty matcher"), std::string::npos);
  EXPECT_EQ(parsed(R"({a=~".+"})"), R"(a=~".+")");
}

}  // namespace
}  // namespace binnacle::query::promql
