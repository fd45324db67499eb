#include "watch/health/checks/json_path.h"

#include <gtest/gtest.h>

namespace binnacle::watch::health {
namespace {

std::string find(std::string_view path, std::string_view body) {
  const auto parsed = JsonPath::parse(path);
  if (!parsed) return parsed.error().message;
  const auto document = JsonBody::parse(body);
  if (!document) return document.error().message;
  const auto found = document->find(*parsed);
  return found ? found->text : "nothing";
}

TEST(JsonPath, FindsMembersAndElements) {
  constexpr std::string_view kBody = R"({"a":{"b":[1,{"c d":"x"},true,null,2.5]},"":0})";
  EXPECT_EQ(find("$.a.b[0]", kBody), "1");
  EXPECT_EQ(find("$.a.b[1][\"c d\"]", kBody), "x");
  EXPECT_EQ(find("$['a']['b'][2]", kBody), "true");
  EXPECT_EQ(find("$.a.b[3]", kBody), "null");
  EXPECT_EQ(find("$.a.b[-1]", kBody), "2.5");
  EXPECT_EQ(find("$.a.b", kBody), "a list");
  EXPECT_EQ(find("$", kBody), "an object");
  EXPECT_EQ(find("$[\"\"]", kBody), "0");
  for (const char* absent : {"$.x", "$.a.b[5]", "$.a.b[-6]", "$.a[0]", "$.a.b[0].c"})
    EXPECT_EQ(find(absent, kBody), "nothing") << absent;
}

TEST(JsonPath, SaysWhereAPathIsWrong) {
  for (const char* bad : {"", "a.b", "$a", "$.", "$..a", "$[", "$[x]", "$[0", "$['a", "$['a'",
                          "$[99999999999999999999]"}) {
    const auto parsed = JsonPath::parse(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_NE(parsed.error().message.find("write it like $.a.b[0]"), std::string::npos) << bad;
  }
  std::string deep = "$";
  for (int i = 0; i < 65; ++i) deep += ".a";
  EXPECT_FALSE(JsonPath::parse(deep));
}

TEST(JsonPath, HostileBodiesAreErrors) {
  EXPECT_NE(find("$", "{").find("not JSON"), std::string::npos);
  EXPECT_NE(find("$", "").find("not JSON"), std::string::npos);
  EXPECT_NE(find("$", std::string(100'000, '[')).find("not JSON"), std::string::npos);
  EXPECT_NE(find("$", "{\"a\":\"\xff\"}").find("not JSON"), std::string::npos);
}

TEST(JsonPath, ListsTextsOfMembers) {
  const auto body = JsonBody::parse(R"({"data":[{"id":"a"},{"id":1},3,{"id":"b"}]})");
  ASSERT_TRUE(body);
  EXPECT_EQ(body->texts(*JsonPath::parse("$.data"), "id"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(body->texts(*JsonPath::parse("$.none"), "id").empty());
}

}  // namespace
}  // namespace binnacle::watch::health
