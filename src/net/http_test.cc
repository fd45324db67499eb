#include "net/http.h"

#include <gtest/gtest.h>

#include <array>

namespace binnacle::net {
namespace {

TEST(Headers, NamesCompareWithoutCase) {
  Headers headers;
  headers.add("Content-Type", "a");
  headers.add("X", "1");
  headers.add("x", "2");
  EXPECT_EQ(headers.get("content-TYPE"), "a");
  EXPECT_EQ(headers.get("X"), "1");
  headers.set("X", "3");
  EXPECT_EQ(headers.all().size(), 2u);
  headers.remove("x");
  EXPECT_FALSE(headers.has("X"));
  EXPECT_EQ(headers.get("none"), "");
}

TEST(MethodNames, GoBothWaysAndKnowCase) {
  for (const char* name : {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
    EXPECT_EQ(method_name(method_from_name(name)), name);
  EXPECT_EQ(method_from_name("get"), Method::kOther);
}

TEST(Params, DecodesInOrder) {
  const Params params = Params::parse("a=1&b=x%20y+z&a=2&empty=&bare&&%3D=%26&cut=%4&bad=%zz");
  EXPECT_EQ(params.get("a"), "1");
  EXPECT_EQ(params.all("a"), (std::vector<std::string_view>{"1", "2"}));
  EXPECT_EQ(params.get("b"), "x y z");
  EXPECT_TRUE(params.has("empty"));
  EXPECT_TRUE(params.has("bare"));
  EXPECT_FALSE(params.has(""));
  EXPECT_EQ(params.get("="), "&");
  EXPECT_EQ(params.get("cut"), "%4");
  EXPECT_EQ(params.get("bad"), "%zz");
  EXPECT_TRUE(Params::parse("").fields().empty());
}

TEST(PercentCoding, RoundTripsAllBytes) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(percent_decode(percent_encode(all), false), all);
  EXPECT_EQ(percent_decode(percent_encode(all), true), all);
  EXPECT_EQ(percent_encode("a b/~é"), "a%20b%2F~%C3%A9");
}

TEST(Request, FindsCookies) {
  const std::array<HeaderView, 3> fields{
      {{"Cookie", "a=1; session=x=y ;bare"}, {"Host", "t"}, {"cookie", "last=2"}}};
  Request request;
  request.headers = fields;
  EXPECT_EQ(request.cookie("a"), "1");
  EXPECT_EQ(request.cookie("session"), "x=y");
  EXPECT_EQ(request.cookie("last"), "2");
  EXPECT_EQ(request.cookie("bare"), std::nullopt);
  EXPECT_EQ(request.cookie("sess"), std::nullopt);
}

TEST(Response, ErrorIsJsonWithItsStatus) {
  const Response response = Response::error(Error{Code::kNotFound, "no \"x\"\n\xff"});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(response.body, "{\"error\":\"no \\\"x\\\"\\n\xEF\xBF\xBD\",\"code\":\"not_found\"}\n");
}

TEST(EscapeJson, EscapesAndMends) {
  EXPECT_EQ(escape_json("a\"b\\c"), "a\\\"b\\\\c");
  EXPECT_EQ(escape_json("é\xc3"), "é\xEF\xBF\xBD");
}

}  // namespace
}  // namespace binnacle::net
