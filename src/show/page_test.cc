#include "show/page.h"

#include <gtest/gtest.h>

#include <string>

#include "net/coding.h"
#include "show/page_files.h"
#include "show/test_route_caller.h"

namespace binnacle::show {
namespace {

using net::Method;
using net::Response;

std::string asset_name(std::string_view stem, std::string_view suffix) {
  for (const PageFile& file : page_files()) {
    if (file.name.starts_with(stem) && file.name.ends_with(suffix)) return std::string(file.name);
  }
  ADD_FAILURE() << "no asset " << stem << "*" << suffix;
  return "";
}

class PageTest : public testing::Test {
 protected:
  PageTest() { EXPECT_TRUE(register_page_routes(router_)); }

  Response get(std::string_view path, std::vector<net::HeaderView> headers = {}) {
    return call_route(router_, Method::kGet, path, std::move(headers));
  }

  net::Router router_;
};

TEST_F(PageTest, EveryAddressOfThePageGivesTheDocument) {
  const Response front = get("/");
  EXPECT_EQ(front.status, 200);
  EXPECT_EQ(front.headers.get("Content-Type"), "text/html; charset=utf-8");
  for (const char* path : {"/hosts", "/hosts/node-1%3A9100", "/explore", "/alerts",
                           "/alerts/silences", "/status?range=5m"}) {
    EXPECT_EQ(get(path).body, front.body) << path;
  }
}

TEST_F(PageTest, OtherAddressesAreNotSwallowed) {
  for (const char* path : {"/api/v1/no_such_thing", "/hosts/a/b", "/explore/x", "/index.html"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

TEST_F(PageTest, TheDocumentNamesAssetsThatExist) {
  for (const char* path : {"/", "/login"}) {
    const std::string html = get(path).body;
    size_t found = 0;
    for (size_t at = html.find("/assets/"); at != std::string::npos;
         at = html.find("/assets/", at + 1)) {
      const std::string asset = html.substr(at, html.find('"', at) - at);
      EXPECT_EQ(get(asset).status, 200) << asset;
      ++found;
    }
    EXPECT_GE(found, 3u) << path;
  }
}

TEST_F(PageTest, DocumentsAreStrictAboutWhatTheyLoad) {
  for (const char* path : {"/", "/login"}) {
    const Response response = get(path);
    const std::string_view policy = response.headers.get("Content-Security-Policy");
    EXPECT_TRUE(policy.starts_with("default-src 'self'")) << policy;
    EXPECT_EQ(policy.find("unsafe"), std::string_view::npos) << policy;
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string_view::npos) << policy;
    EXPECT_EQ(response.headers.get("X-Frame-Options"), "DENY");
    EXPECT_EQ(response.headers.get("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(response.headers.get("Referrer-Policy"), "same-origin");
    EXPECT_EQ(response.headers.get("Cache-Control"), "no-cache");
    // What the policy forbids must not be in the document either.
    EXPECT_EQ(response.body.find("<style"), std::string::npos);
    EXPECT_EQ(response.body.find(" style="), std::string::npos);
    EXPECT_EQ(response.body.find("<script>"), std::string::npos);
  }
}

TEST_F(PageTest, AssetsMayBeKeptForGood) {
  const Response script = get("/assets/" + asset_name("app-", ".js"));
  EXPECT_EQ(script.headers.get("Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(script.headers.get("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(script.headers.get("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(get("/assets/" + asset_name("app-", ".css")).headers.get("Content-Type"),
            "text/css; charset=utf-8");
  EXPECT_EQ(get("/assets/" + asset_name("favicon-", ".svg")).headers.get("Content-Type"),
            "image/svg+xml");
}

TEST_F(PageTest, UnknownAssetsAndDocumentsAreNotAssets) {
  EXPECT_EQ(get("/assets/app-0000000000.js").status, 404);
  EXPECT_EQ(get("/assets/index.html").status, 404);
  EXPECT_EQ(get("/assets/..%2Findex.html").status, 404);
}

TEST_F(PageTest, GzipAndPlainAreTheSameBytes) {
  const std::string path = "/assets/" + asset_name("app-", ".js");
  const Response plain = get(path);
  EXPECT_FALSE(plain.headers.has("Content-Encoding"));
  const Response packed = get(path, {{"Accept-Encoding", "zstd, br, gzip;q=0.8"}});
  ASSERT_EQ(packed.headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(packed.headers.get("Vary"), "Accept-Encoding");
  EXPECT_LT(packed.body.size() * 2, plain.body.size());
  const auto unpacked = net::decode(net::Coding::kGzip, packed.body, size_t{8} << 20);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_TRUE(*unpacked == plain.body);
}

TEST_F(PageTest, GzipOnlyWhereItIsAccepted) {
  for (const char* accepted : {"", "identity", "zstd", "gzip;q=0", "gzip; q=0.000, *"}) {
    EXPECT_FALSE(get("/", {{"Accept-Encoding", accepted}}).headers.has("Content-Encoding"))
        << accepted;
  }
  for (const char* accepted : {"gzip", "GZIP", "deflate, *;q=0.1", "br;q=1, gzip ; q=0.01"}) {
    EXPECT_EQ(get("/", {{"Accept-Encoding", accepted}}).headers.get("Content-Encoding"), "gzip")
        << accepted;
  }
}

TEST_F(PageTest, AKnownTagIsNotSentAgain) {
  const Response first = get("/");
  const std::string tag(first.headers.get("ETag"));
  ASSERT_GT(tag.size(), 2u);
  const std::string listed = "\"other\", W/" + tag;
  for (const std::string& header : {tag, listed, std::string("*")}) {
    const Response again = get("/", {{"If-None-Match", header}});
    EXPECT_EQ(again.status, 304) << header;
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(again.headers.get("ETag"), tag);
  }
  EXPECT_EQ(get("/", {{"If-None-Match", "\"other\""}}).status, 200);
  // The compressed form is another representation.
  EXPECT_EQ(get("/", {{"If-None-Match", tag}, {"Accept-Encoding", "gzip"}}).status, 200);
}

TEST_F(PageTest, OnlyTheFormAndTheAssetsAreForEveryone) {
  for (const auto& route : router_.routes()) {
    const bool open = route->pattern == "/login" || route->pattern == "/favicon.ico" ||
                      route->pattern == "/assets/{file}";
    EXPECT_EQ(route->role, open ? Role::kPublic : Role::kViewer) << route->pattern;
    EXPECT_EQ(route->group, net::RouteGroup::kPage) << route->pattern;
    EXPECT_EQ(route->run_on, net::RunOn::kIoThread) << route->pattern;
  }
}

}  // namespace
}  // namespace binnacle::show
