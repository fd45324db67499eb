#include "net/router.h"

#include <gtest/gtest.h>

namespace binnacle::net {
namespace {

Route route(Method method, std::string pattern) {
  Route made;
  made.method = method;
  made.pattern = std::move(pattern);
  made.role = Role::kPublic;
  made.handler = Handler([](const Request&) { return Response(); });
  return made;
}

class RouterTest : public testing::Test {
 protected:
  void add(Method method, const char* pattern) {
    ASSERT_TRUE(router_.add(route(method, pattern))) << pattern;
  }

  // "pattern name=value ...", "405 allow" or "404".
  std::string find(Method method, std::string_view path) {
    std::vector<std::pair<std::string_view, std::string>> params;
    const Router::Match match = router_.match(method, path, params);
    if (match.route == nullptr) return match.path_exists ? "405 " + match.allow : "404";
    std::string text = match.route->pattern;
    for (const auto& [name, value] : params) text += " " + std::string(name) + "=" + value;
    return text;
  }

  Router router_;
};

TEST_F(RouterTest, ARouteWithoutARoleIsRefusedByName) {
  Route unnamed = route(Method::kPost, "/open");
  unnamed.role.reset();
  const Status added = router_.add(std::move(unnamed));
  ASSERT_FALSE(added);
  EXPECT_NE(added.error().message.find("POST /open"), std::string::npos) << added.error().message;
  EXPECT_EQ(find(Method::kPost, "/open"), "404");
}

TEST_F(RouterTest, LiteralsParametersAndRest) {
  add(Method::kGet, "/");
  add(Method::kGet, "/api/v1/label/{name}/values");
  add(Method::kGet, "/static/{path...}");
  EXPECT_EQ(find(Method::kGet, "/"), "/");
  EXPECT_EQ(find(Method::kGet, "/api/v1/label/job/values"), "/api/v1/label/{name}/values name=job");
  EXPECT_EQ(find(Method::kGet, "/static/a/b.js"), "/static/{path...} path=a/b.js");
  EXPECT_EQ(find(Method::kGet, "/static/"), "/static/{path...} path=");
  for (const char* path : {"/api/v1/label//values", "/api/v1/label/job",
                           "/api/v1/label/job/values/", "/static", "//", "", "api"})
    EXPECT_EQ(find(Method::kGet, path), "404") << path;
}

TEST_F(RouterTest, MoreExactWins) {
  add(Method::kGet, "/jobs/{rest...}");
  add(Method::kGet, "/jobs/{name}");
  add(Method::kGet, "/jobs/{id:int}");
  add(Method::kGet, "/jobs/new");
  EXPECT_EQ(find(Method::kGet, "/jobs/new"), "/jobs/new");
  EXPECT_EQ(find(Method::kGet, "/jobs/17"), "/jobs/{id:int} id=17");
  EXPECT_EQ(find(Method::kGet, "/jobs/17x"), "/jobs/{name} name=17x");
  EXPECT_EQ(find(Method::kGet, "/jobs/-1"), "/jobs/{name} name=-1");
  EXPECT_EQ(find(Method::kGet, "/jobs/1234567890123456789"),
            "/jobs/{name} name=1234567890123456789");
  EXPECT_EQ(find(Method::kGet, "/jobs/17/log"), "/jobs/{rest...} rest=17/log");
}

TEST_F(RouterTest, LessExactIsTriedWhenTheMoreExactEndsInNothing) {
  add(Method::kGet, "/a/b/c");
  add(Method::kGet, "/a/{x}/d");
  add(Method::kPost, "/a/{y}/c");
  EXPECT_EQ(find(Method::kGet, "/a/b/d"), "/a/{x}/d x=b");
  EXPECT_EQ(find(Method::kPost, "/a/b/c"), "/a/{y}/c y=b");
  EXPECT_EQ(find(Method::kPut, "/a/b/c"), "405 GET, HEAD, POST, OPTIONS");
}

TEST_F(RouterTest, SegmentsAreDecodedAfterTheSplit) {
  add(Method::kGet, "/label/{name}/values");
  add(Method::kGet, "/rest/{all...}");
  EXPECT_EQ(find(Method::kGet, "/l%61bel/a%2Fb/values"), "/label/{name}/values name=a/b");
  EXPECT_EQ(find(Method::kGet, "/label/a+b%zz/values"), "/label/{name}/values name=a+b%zz");
  EXPECT_EQ(find(Method::kGet, "/rest/a%20/b"), "/rest/{all...} all=a /b");
  EXPECT_EQ(find(Method::kGet, "/label%2Fx/values"), "404");
}

TEST_F(RouterTest, HeadUsesGetUnlessItHasItsOwn) {
  add(Method::kGet, "/x");
  add(Method::kGet, "/y");
  add(Method::kHead, "/y");
  std::vector<std::pair<std::string_view, std::string>> params;
  EXPECT_EQ(router_.match(Method::kHead, "/x", params).route->method, Method::kGet);
  EXPECT_EQ(router_.match(Method::kHead, "/y", params).route->method, Method::kHead);
  EXPECT_EQ(find(Method::kPost, "/x"), "405 GET, HEAD, OPTIONS");
}

TEST_F(RouterTest, TakenAndBadPatternsAreRefused) {
  add(Method::kGet, "/a/{x}");
  add(Method::kPost, "/a/{y}");
  const Status taken = router_.add(route(Method::kGet, "/a/{z}"));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::kAlreadyExists);
  for (const char* pattern : {"", "a", "/{", "/{}", "/a{x}", "/{x}b", "/{x...}/b", "/{x}/{x}",
                              "/{a-b}", "/{x:float}", "/}"}) {
    const Status status = router_.add(route(Method::kGet, pattern));
    ASSERT_FALSE(status) << pattern;
    EXPECT_EQ(status.error().code, Code::kInvalidArgument) << pattern;
  }
  EXPECT_EQ(router_.routes().size(), 2u);
}

TEST(RouteGroupNames, GoBothWays) {
  for (const char* name : {"page", "api", "ingest", "gateway", "link", "probes"})
    EXPECT_EQ(route_group_name(*route_group_from_name(name)), name);
  EXPECT_FALSE(route_group_from_name("pages"));
}

}  // namespace
}  // namespace binnacle::net
