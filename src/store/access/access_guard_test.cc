#include "store/access/access_guard.h"

#include "store/access/testing/access_fixture.h"
#include "store/access/testing/test_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace binnacle::store::access {
namespace {

using net::Method;
using testing::HasSubstr;

net::Route route(Role role, net::RouteGroup group = net::RouteGroup::kApi) {
  return {.pattern = "/x", .group = group, .role = role, .handler = net::Handler(), .limits = {}};
}

// OpenSSL's, so that our decoder meets another's encoder.
std::string base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

class AccessGuardTest : public testing::Test {
 protected:
  AccessGuardTest() { access_.make_guard(); }

  // 0: admitted.
  int status(TestRequest& request, Role role = Role::kViewer) {
    auto refusal = access_.guard->admit(request.request, route(role));
    last_ = refusal.value_or(net::Response{});
    return refusal ? refusal->status : 0;
  }

  AccessFixture access_;
  net::Response last_;
};

TEST_F(AccessGuardTest, WithoutKeysLoopbackIsAdmin) {
  TestRequest local;
  EXPECT_EQ(status(local, Role::kAdmin), 0);
  EXPECT_EQ(local.request.identity.name, "local");
  EXPECT_EQ(local.request.identity.role, Role::kAdmin);

  TestRequest remote;
  EXPECT_EQ(status(remote.from("10.0.0.9")), 401);
  EXPECT_THAT(last_.body, HasSubstr("binnacle key create"));

  TestRequest through_proxy;
  EXPECT_EQ(status(through_proxy.with("X-Forwarded-For", "1.2.3.4")), 401);

  access_.make_key("first", Role::kAdmin);
  TestRequest later;
  EXPECT_EQ(status(later), 401);
}

TEST_F(AccessGuardTest, EveryCredentialFormIsTaken) {
  const IssuedKey key = access_.make_key("k", Role::kViewer);
  const auto session = access_.sessions->create(key.info.id);
  TestRequest bearer, header, basic, cookie, none;
  bearer.bearer(key.key);
  header.with("X-API-Key", key.key);
  basic.with("Authorization", "Basic " + base64("user:" + key.key));
  cookie.cookie(session->id);
  for (TestRequest* request : {&bearer, &header, &basic, &cookie}) {
    EXPECT_EQ(status(*request), 0);
    EXPECT_EQ(request->request.identity.key_id, key.info.id);
  }
  EXPECT_EQ(status(none), 401);
  EXPECT_EQ(last_.headers.get("WWW-Authenticate"), "Bearer realm=\"binnacle\"");
}

TEST_F(AccessGuardTest, WhoIsAskedHow) {
  access_.make_key("k", Role::kViewer);
  TestRequest script;
  EXPECT_EQ(status(script), 401);
  EXPECT_EQ(last_.headers.all().back().second, "Basic realm=\"binnacle\"");

  TestRequest page_call;
  EXPECT_EQ(status(page_call.with("Sec-Fetch-Mode", "cors")), 401);
  for (const auto& [name, value] : last_.headers.all())
    EXPECT_THAT(value, testing::Not(HasSubstr("Basic")));

  TestRequest visit(Method::kGet, "/hosts?range=1h&x=%20");
  EXPECT_EQ(status(visit.with("Accept", "text/html,*/*")), 303);
  EXPECT_EQ(last_.headers.get("Location"), "/login?next=%2Fhosts%3Frange%3D1h%26x%3D%2520");

  TestRequest post(Method::kPost, "/x");
  EXPECT_EQ(status(post.with("Accept", "text/html")), 401);
}

TEST_F(AccessGuardTest, RoleMatrix) {
  constexpr Role kAsked[] = {Role::kPublic, Role::kViewer, Role::kOperator, Role::kAdmin,
                             Role::kIngest, Role::kAgent,  Role::kInference};
  struct Row {
    Role held;
    std::string_view admitted;  // by kAsked: + or -
  };
  constexpr Row kRows[] = {
      {Role::kViewer, "++-----"}, {Role::kOperator, "+++---+"}, {Role::kAdmin, "+++++++"},
      {Role::kIngest, "+---+--"}, {Role::kAgent, "+---++-"},    {Role::kInference, "+-----+"},
  };
  for (const Row& row : kRows) {
    const IssuedKey key = access_.make_key(std::string(role_name(row.held)), row.held);
    for (size_t i = 0; i < std::size(kAsked); ++i) {
      TestRequest request;
      request.bearer(key.key);
      EXPECT_EQ(status(request, kAsked[i]), row.admitted[i] == '+' ? 0 : 403)
          << role_name(row.held) << " asks for " << role_name(kAsked[i]);
    }
  }
}

TEST_F(AccessGuardTest, ARefusedRoleIsNamedAndAudited) {
  const IssuedKey key = access_.make_key("grafana", Role::kViewer);
  TestRequest request(Method::kPost, "/api/binnacle/v1/keys");
  EXPECT_EQ(status(request.bearer(key.key), Role::kAdmin), 403);
  EXPECT_THAT(last_.body, HasSubstr("this needs the role admin"));
  access_.audit->start();
  access_.audit->stop();
  const auto rows = access_.audit->recent(0, 1);
  EXPECT_EQ(rows->at(0).record.action, "access.refused");
  EXPECT_EQ(rows->at(0).record.actor.key_id, key.info.id);
  EXPECT_EQ(rows->at(0).record.subject, "/api/binnacle/v1/keys");
}

TEST_F(AccessGuardTest, PublicRoutesAnswerAnyoneAndKnowWhoCan) {
  const IssuedKey key = access_.make_key("k", Role::kViewer);
  TestRequest nobody, somebody, wrong, ended;
  EXPECT_EQ(status(nobody, Role::kPublic), 0);
  EXPECT_EQ(nobody.request.identity.role, Role::kPublic);
  EXPECT_EQ(status(somebody.bearer(key.key), Role::kPublic), 0);
  EXPECT_EQ(somebody.request.identity.name, "k");
  EXPECT_EQ(status(wrong.bearer("bnk_wrong"), Role::kPublic), 0);
  EXPECT_EQ(wrong.request.identity.role, Role::kPublic);
  EXPECT_EQ(status(ended.cookie("gone"), Role::kPublic), 0);
}

TEST_F(AccessGuardTest, ForeignHostsAndOriginsAreRefusedWithAndWithoutKeys) {
  for (int round = 0; round < 2; ++round) {
    TestRequest rebound, cross_site, web_socket, null_origin, own;
    EXPECT_EQ(status(rebound.with("Host", "evil.example:8080"), Role::kPublic), 421);
    EXPECT_EQ(status(cross_site.with("Origin", "http://evil.example"), Role::kPublic), 403);
    EXPECT_EQ(status(null_origin.with("Origin", "null"), Role::kPublic), 403);
    EXPECT_EQ(status(own.with("Origin", "http://localhost:8080"), Role::kPublic), 0);

    net::Route socket_route = route(Role::kPublic);
    socket_route.handler = net::WebSocketHandler();
    const auto refusal = access_.guard->admit(
        web_socket.with("Origin", "http://evil.example").request, socket_route);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->status, 403);
    access_.make_key("k" + std::to_string(round), Role::kAdmin);
  }
}

TEST_F(AccessGuardTest, ACookieChangesNothingWithoutAnOrigin) {
  const IssuedKey key = access_.make_key("k", Role::kAdmin);
  const auto session = access_.sessions->create(key.info.id);
  TestRequest get;
  EXPECT_EQ(status(get.cookie(session->id)), 0);
  TestRequest bare(Method::kPost);
  EXPECT_EQ(status(bare.cookie(session->id)), 403);
  TestRequest own(Method::kPost);
  EXPECT_EQ(status(own.cookie(session->id).with("Origin", "http://localhost:8080")), 0);
  TestRequest by_key(Method::kDelete);
  EXPECT_EQ(status(by_key.bearer(key.key)), 0);

  net::Route socket_route = route(Role::kViewer);
  socket_route.handler = net::WebSocketHandler();
  TestRequest socket;
  EXPECT_TRUE(access_.guard->admit(socket.cookie(session->id).request, socket_route));
  TestRequest own_socket;
  own_socket.cookie(session->id).with("Origin", "http://localhost:8080");
  EXPECT_FALSE(access_.guard->admit(own_socket.request, socket_route));
}

// Without keys there is no cookie that could be missing: the browser's own mark must do.
TEST_F(AccessGuardTest, WithoutKeysAForeignPageChangesNothing) {
  TestRequest foreign(Method::kPost), own(Method::kPost), script(Method::kPost);
  EXPECT_EQ(status(foreign.with("Sec-Fetch-Site", "cross-site")), 403);
  EXPECT_EQ(status(own.with("Sec-Fetch-Site", "same-origin")), 0);
  EXPECT_EQ(status(script), 0);
}

TEST_F(AccessGuardTest, RepeatedWrongKeysLockTheAddressOut) {
  const IssuedKey key = access_.make_key("k", Role::kViewer);
  const auto session = access_.sessions->create(key.info.id);
  for (int i = 0; i < 6; ++i) {
    TestRequest wrong;
    EXPECT_EQ(status(wrong.from("10.0.0.9").bearer("bnk_wrong")), 401) << i;
  }
  TestRequest right;
  EXPECT_EQ(status(right.from("10.0.0.9").bearer(key.key)), 429);
  EXPECT_EQ(last_.headers.get("Retry-After"), "30");
  TestRequest logged_in, elsewhere, public_page;
  EXPECT_EQ(status(logged_in.from("10.0.0.9").cookie(session->id)), 0);
  EXPECT_EQ(status(elsewhere.from("10.0.0.10").bearer(key.key)), 0);
  EXPECT_EQ(status(public_page.from("10.0.0.9").bearer(key.key), Role::kPublic), 0);
  EXPECT_EQ(public_page.request.identity.role, Role::kPublic);

  access_.clock.advance_ms(30'000);
  TestRequest again;
  EXPECT_EQ(status(again.from("10.0.0.9").bearer("bnk_wrong")), 401);
  TestRequest longer;
  EXPECT_EQ(status(longer.from("10.0.0.9").bearer(key.key)), 429);
  EXPECT_EQ(last_.headers.get("Retry-After"), "60");
  access_.clock.advance_ms(60'000);
  TestRequest forgiven;
  EXPECT_EQ(status(forgiven.from("10.0.0.9").bearer(key.key)), 0);

  access_.audit->start();
  access_.audit->stop();
  EXPECT_EQ(access_.events->recent("login.failed", 0, 100)->size(), 7u);
  EXPECT_EQ(access_.events->recent("login.locked_out", 0, 100)->size(), 2u);
}

TEST_F(AccessGuardTest, AnEndedSessionIsNoAttack) {
  access_.make_key("k", Role::kViewer);
  for (int i = 0; i < 50; ++i) {
    TestRequest request;
    EXPECT_EQ(status(request.cookie("ended")), 401);
  }
}

TEST_F(AccessGuardTest, EachGroupHasItsRate) {
  AccessOptions options;
  options.rate_limits.fill({.per_second = 2, .burst = 3});
  access_.make_guard(options);
  for (int i = 0; i < 3; ++i) {
    TestRequest request;
    EXPECT_EQ(status(request), 0);
  }
  TestRequest over, other_client, other_group;
  EXPECT_EQ(status(over), 429);
  EXPECT_EQ(last_.headers.get("Retry-After"), "1");
  EXPECT_THAT(last_.body, HasSubstr("api routes"));
  EXPECT_EQ(status(other_client.from("10.0.0.9")), 401);
  EXPECT_FALSE(
      access_.guard->admit(other_group.request, route(Role::kPublic, net::RouteGroup::kProbes)));
  access_.clock.advance_ms(500);
  TestRequest later;
  EXPECT_EQ(status(later), 0);
  options.rate_limits.fill({});
  access_.guard->set_options(options);
  for (int i = 0; i < 50; ++i) {
    TestRequest request;
    EXPECT_EQ(status(request), 0);
  }
}

TEST_F(AccessGuardTest, ListenersWithCertificatesAndWithNothing) {
  AccessOptions options;
  options.listeners = {{"10.0.0.5:8443", {ListenerAuth::kCertificate, Role::kAgent}},
                       {"10.0.0.5:80", {ListenerAuth::kNone, Role::kViewer}}};
  access_.make_guard(options);
  const IssuedKey key = access_.make_key("k", Role::kAdmin);

  TestRequest node;
  node.from("10.0.0.9").with("Host", "10.0.0.5:8443");
  node.connection.listener = "10.0.0.5:8443";
  node.connection.client_certificate = "CN=node-1";
  EXPECT_EQ(status(node, Role::kAgent), 0);
  EXPECT_EQ(node.request.identity.name, "CN=node-1");
  EXPECT_EQ(status(node, Role::kAdmin), 403);
  node.bearer(key.key);
  EXPECT_EQ(status(node, Role::kAdmin), 0) << "a key says more than the certificate";

  TestRequest anyone;
  anyone.from("10.0.0.9").with("Host", "10.0.0.5:80");
  anyone.connection.listener = "10.0.0.5:80";
  EXPECT_EQ(status(anyone, Role::kAdmin), 0);
  EXPECT_EQ(anyone.request.identity.name, "anonymous");
}

TEST_F(AccessGuardTest, AFloodOfRefusalsIsCountedButNotAllAudited) {
  const IssuedKey key = access_.make_key("k", Role::kViewer);
  for (int i = 0; i < 200; ++i) {
    TestRequest request;
    EXPECT_EQ(status(request.bearer(key.key), Role::kAdmin), 403);
  }
  access_.audit->start();
  access_.audit->stop();
  EXPECT_EQ(access_.events->recent("access.refused", 0, 1'000)->size(), 10u);
  EXPECT_EQ(access_.state.registry
                .counter("binnacle_access_refusals_total",
                         "Requests refused at the door, by reason.", {{"reason", "role"}})
                .value(),
            200);
}

}  // namespace
}  // namespace binnacle::store::access
