#include "store/access/access_routes.h"

#include "store/access/testing/access_fixture.h"
#include "store/access/testing/test_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace binnacle::store::access {
namespace {

using net::Method;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Requests go through the guard and the router's table, as the server sends them.
class AccessRoutesTest : public testing::Test {
 protected:
  AccessRoutesTest() {
    AccessServices services{*access_.keys,  *access_.tokens,      *access_.sessions,
                            *access_.audit, access_.make_guard(), access_.clock};
    CHECK(register_access_routes(router_, services));
  }

  net::Response send(TestRequest& request) {
    request.request.path_params.clear();
    const auto match =
        router_.match(request.request.method, request.request.path, request.request.path_params);
    if (match.route == nullptr) return net::Response::text(match.path_exists ? 405 : 404, "");
    if (auto refusal = access_.guard->admit(request.request, *match.route)) return *refusal;
    return std::get<net::Handler>(match.route->handler)(request.request);
  }
  net::Response send(Method method, const std::string& target, const std::string& body = "",
                     const std::string& key = "") {
    TestRequest request(method, target);
    if (!key.empty()) request.bearer(key);
    return send(request.body(body));
  }
  net::Response post_login(const std::string& form, const std::string& accept = "text/html") {
    TestRequest request(Method::kPost, "/login");
    request.with("Accept", accept).with("Origin", "http://localhost:8080");
    return send(request.body(form));
  }
  static std::string cookie_of(const net::Response& response) {
    const std::string_view header = response.headers.get("Set-Cookie");
    const std::string_view pair = header.substr(0, header.find(';'));
    return std::string(pair.substr(pair.find('=') + 1));
  }
  std::string who(const std::string& cookie) {
    TestRequest request(Method::kGet, "/api/binnacle/v1/whoami");
    return json::parse(send(request.cookie(cookie)).body)["name"];
  }

  AccessFixture access_;
  net::Router router_;
};

TEST_F(AccessRoutesTest, EveryRouteButTheDoorItselfNeedsARole) {
  std::vector<std::string> open;
  for (const auto& route : router_.routes()) {
    if (route->role == Role::kPublic) open.push_back(route->pattern);
  }
  EXPECT_THAT(open,
              testing::UnorderedElementsAre("/login", "/login/{token}", "/logout",
                                            "/api/binnacle/v1/whoami", "/api/binnacle/v1/join"));
}

TEST_F(AccessRoutesTest, LogInUseLogOut) {
  const IssuedKey key = access_.make_key("ann", Role::kOperator);
  const net::Response in = post_login("key=" + key.key + "&next=%2Fhosts%3Fx%3D1");
  EXPECT_EQ(in.status, 303);
  EXPECT_EQ(in.headers.get("Location"), "/hosts?x=1");
  EXPECT_THAT(std::string(in.headers.get("Set-Cookie")),
              AllOf(HasSubstr("HttpOnly"), HasSubstr("SameSite=Strict"), HasSubstr("Max-Age=86400"),
                    Not(HasSubstr("Secure")), Not(HasSubstr(key.key))));
  const std::string cookie = cookie_of(in);
  EXPECT_EQ(who(cookie), "ann");

  TestRequest out(Method::kPost, "/logout");
  const net::Response gone = send(out.cookie(cookie).with("Origin", "http://localhost:8080"));
  EXPECT_EQ(gone.headers.get("Location"), "/login");
  EXPECT_THAT(std::string(gone.headers.get("Set-Cookie")), HasSubstr("Max-Age=0"));
  EXPECT_EQ(who(cookie), "");
}

TEST_F(AccessRoutesTest, TheCookieIsSecureUnderTls) {
  const IssuedKey key = access_.make_key("ann", Role::kOperator);
  TestRequest direct(Method::kPost, "/login"), proxied(Method::kPost, "/login");
  direct.connection.tls = true;
  EXPECT_THAT(std::string(send(direct.body("key=" + key.key)).headers.get("Set-Cookie")),
              HasSubstr("; Secure"));
  proxied.with("Host", "localhost").with("Origin", "https://localhost");
  EXPECT_THAT(std::string(send(proxied.body("key=" + key.key)).headers.get("Set-Cookie")),
              HasSubstr("; Secure"));
}

TEST_F(AccessRoutesTest, AWrongKeyIsSentBackAndCounted) {
  access_.make_key("ann", Role::kOperator);
  const net::Response wrong = post_login("key=bnk_no&next=/hosts");
  EXPECT_EQ(wrong.status, 303);
  EXPECT_EQ(wrong.headers.get("Location"), "/login?failed=1&next=%2Fhosts");
  EXPECT_FALSE(wrong.headers.has("Set-Cookie"));
  EXPECT_EQ(post_login("key=bnk_no", "application/json").status, 401);
  for (int i = 0; i < 4; ++i) post_login("key=bnk_no");
  EXPECT_EQ(post_login("key=bnk_no").status, 429);
}

TEST_F(AccessRoutesTest, TheKeyIsNotTakenFromTheAddress) {
  const IssuedKey key = access_.make_key("ann", Role::kOperator);
  EXPECT_EQ(send(Method::kPost, "/login?key=" + key.key).status, 401);
}

TEST_F(AccessRoutesTest, OneUseLogIn) {
  const IssuedKey key = access_.make_key("ann", Role::kAdmin);
  const std::string path =
      "/login/" + access_.tokens->create_login(key.info.id, 60'000, access_.actor)->token;
  TestRequest first(Method::kGet, path), second(Method::kGet, path);
  const net::Response in = send(first.with("Accept", "text/html"));
  EXPECT_EQ(in.headers.get("Location"), "/");
  EXPECT_EQ(who(cookie_of(in)), "ann");
  const net::Response again = send(second.with("Accept", "text/html"));
  EXPECT_EQ(again.headers.get("Location"), "/login?failed=1");
  EXPECT_FALSE(again.headers.has("Set-Cookie"));
}

TEST_F(AccessRoutesTest, NextStaysHere) {
  EXPECT_EQ(local_path_or_root("/hosts?a=1#b"), "/hosts?a=1#b");
  for (const char* elsewhere :
       {"", "hosts", "//evil.example", "/\\evil.example", "https://evil.example",
        "/a\r\nSet-Cookie: x", "/\t/evil.example", "\\/evil.example"}) {
    EXPECT_EQ(local_path_or_root(elsewhere), "/") << elsewhere;
  }
}

TEST_F(AccessRoutesTest, KeysOverTheApi) {
  const net::Response made =
      send(Method::kPost, "/api/binnacle/v1/keys", R"({"name":"root","role":"admin"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.headers.get("Cache-Control"), "no-store");
  const std::string root = json::parse(made.body)["key"];
  EXPECT_EQ(send(Method::kGet, "/api/binnacle/v1/keys").status, 401) << "no longer open";

  const net::Response second =
      send(Method::kPost, "/api/binnacle/v1/keys",
           R"({"name":"prom","role":"ingest","expires_in_seconds":60,"scopes":{"a":1}})", root);
  ASSERT_EQ(second.status, 201) << second.body;
  const json prom = json::parse(second.body);
  const net::Response list = send(Method::kGet, "/api/binnacle/v1/keys", "", root);
  const json keys = json::parse(list.body)["keys"];
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0]["name"], "prom");
  EXPECT_EQ(keys[0]["expires"], format_rfc3339(access_.clock.wall_ms() + 60'000));
  EXPECT_EQ(keys[0]["scopes"]["a"], 1);
  EXPECT_EQ(keys[0]["last_used"], nullptr);
  EXPECT_EQ(keys[1]["role"], "admin");
  EXPECT_THAT(list.body, Not(HasSubstr("bnk_")));

  const std::string id = prom["id"];
  const net::Response rotated =
      send(Method::kPost, "/api/binnacle/v1/keys/" + id + "/rotate", "", root);
  ASSERT_EQ(rotated.status, 201);
  EXPECT_FALSE(access_.keys->authenticate(std::string(prom["key"])));
  EXPECT_EQ(send(Method::kDelete, "/api/binnacle/v1/keys/" + id, "", root).status, 204);
  EXPECT_FALSE(access_.keys->authenticate(std::string(json::parse(rotated.body)["key"])));
  EXPECT_EQ(send(Method::kDelete, "/api/binnacle/v1/keys/ffffffff", "", root).status, 404);
}

TEST_F(AccessRoutesTest, BadBodiesAreNamed) {
  const auto refusal = [&](const std::string& body) {
    const net::Response response = send(Method::kPost, "/api/binnacle/v1/keys", body);
    EXPECT_EQ(response.status, 400) << body;
    return response.body;
  };
  EXPECT_THAT(refusal("{"), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal(R"({"name":"a","role":"viewer","rôle":1})"), HasSubstr("unknown field"));
  EXPECT_THAT(refusal(R"({"role":"viewer"})"), HasSubstr("name"));
  EXPECT_THAT(refusal(R"({"name":"a","role":"boss"})"), HasSubstr("boss"));
  EXPECT_THAT(refusal(R"({"name":"a","role":"viewer","expires_in_seconds":-1})"),
              HasSubstr("expires_in_seconds"));
  EXPECT_THAT(refusal(R"({"name":"a","role":"viewer","expires_in_seconds":1e30})"),
              HasSubstr("expires_in_seconds"));
  EXPECT_THAT(refusal("{\"name\":\"a\xff\",\"role\":\"viewer\"}"), HasSubstr("not a JSON object"));
  EXPECT_TRUE(access_.keys->list().empty());
}

TEST_F(AccessRoutesTest, AnAgentJoinsByItsToken) {
  const json token = json::parse(
      send(Method::kPost, "/api/binnacle/v1/join-tokens", R"({"expires_in_seconds":60})").body);
  const std::string body = json{{"token", token["token"]}, {"name", "node-1"}}.dump();
  TestRequest request(Method::kPost, "/api/binnacle/v1/join");
  const net::Response joined = send(request.from("10.0.0.9").body(body));
  ASSERT_EQ(joined.status, 201) << joined.body;
  EXPECT_EQ(access_.keys->authenticate(std::string(json::parse(joined.body)["key"]))->role,
            Role::kAgent);
  TestRequest again(Method::kPost, "/api/binnacle/v1/join");
  EXPECT_EQ(send(again.from("10.0.0.9").body(body)).status, 401);
  const IssuedKey root = access_.make_key("root", Role::kAdmin);
  const net::Response list = send(Method::kGet, "/api/binnacle/v1/join-tokens", "", root.key);
  EXPECT_EQ(json::parse(list.body)["join_tokens"][0]["used_by"], "node-1");
  EXPECT_THAT(list.body, Not(HasSubstr("bnj_")));
}

TEST_F(AccessRoutesTest, TheAuditLogIsReadAndChecked) {
  const IssuedKey root = access_.make_key("root", Role::kAdmin);
  access_.make_key("other", Role::kViewer);
  const json rows =
      json::parse(send(Method::kGet, "/api/binnacle/v1/audit?limit=1", "", root.key).body)["audit"];
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]["action"], "key.created");
  EXPECT_EQ(rows[0]["detail"]["name"], "other");
  const json older = json::parse(
      send(Method::kGet, "/api/binnacle/v1/audit?before=2", "", root.key).body)["audit"];
  EXPECT_EQ(older.at(0)["detail"]["name"], "root");
  const json verdict =
      json::parse(send(Method::kGet, "/api/binnacle/v1/audit/verify", "", root.key).body);
  EXPECT_EQ(verdict["intact"], true);
  EXPECT_EQ(verdict["rows"], 2);
}

TEST_F(AccessRoutesTest, WhoAmITellsThatTheDoorIsOpen) {
  const json local = json::parse(send(Method::kGet, "/api/binnacle/v1/whoami").body);
  EXPECT_EQ(local["name"], "local");
  EXPECT_EQ(local["role"], "admin");
  EXPECT_EQ(local["open"], true);
}

}  // namespace
}  // namespace binnacle::store::access
