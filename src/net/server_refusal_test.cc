// What a broken, oversized or unwelcome request gets, and that it costs the server nothing.
#include "base/log.h"
#include "net/server_test_client.h"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace binnacle::net {
namespace {

using namespace std::string_literals;

struct BadRequest {
  const char* name;
  std::string bytes;
  int status;
  const char* reason;
};

class ServerRefuses : public testing::TestWithParam<BadRequest> {};

TEST_P(ServerRefuses, WithItsStatusAndCloses) {
  TestServer server({hello_route(), echo_route()});
  RawClient client(server.address());
  client.send(GetParam().bytes);
  const RawResponse response = client.read_response();
  EXPECT_EQ(response.status, GetParam().status);
  EXPECT_NE(response.body.find(GetParam().reason), std::string::npos) << response.body;
  EXPECT_EQ(response.header("Connection"), "close");
  client.end_sending();
  EXPECT_TRUE(client.at_end());
  RawClient next(server.address());
  EXPECT_EQ(next.get("/hello").status, 200);
}

const std::string kPost = "POST /echo HTTP/1.1\r\nHost: t\r\n";

INSTANTIATE_TEST_SUITE_P(
    Bytes, ServerRefuses,
    testing::Values(
        BadRequest{"NoVersion", "GET /hello\r\nHost: t\r\n\r\n", 400, ""},
        BadRequest{"NoTarget", "GET HTTP/1.1\r\nHost: t\r\n\r\n", 400, ""},
        BadRequest{"BadMethod", "G@T /hello HTTP/1.1\r\nHost: t\r\n\r\n", 400, "method"},
        BadRequest{"ControlInTarget", "GET /he\x01llo HTTP/1.1\r\nHost: t\r\n\r\n", 400, "target"},
        BadRequest{"BareLf", "GET /hello HTTP/1.1\nHost: t\n\n", 400, "CR LF"},
        BadRequest{"BareLfInOneLine", "GET /hello HTTP/1.1\r\nHost: t\nA: b\r\n\r\n", 400, ""},
        BadRequest{"Nul", "GET /hello HTTP/1.1\r\nHost: t\r\nA: \0\r\n\r\n"s, 400, ""},
        BadRequest{"TlsHello", "\x16\x03\x01\x00\x05hello"s, 400, "NUL"},
        BadRequest{"ControlInValue", "GET /hello HTTP/1.1\r\nHost: t\r\nA: \x02\r\n\r\n", 400, ""},
        BadRequest{"SpaceInName", "GET /hello HTTP/1.1\r\nHost: t\r\nA b: c\r\n\r\n", 400,
                   "header name"},
        BadRequest{"SpaceBeforeColon", "GET /hello HTTP/1.1\r\nHost : t\r\n\r\n", 400,
                   "header name"},
        BadRequest{"EmptyName", "GET /hello HTTP/1.1\r\nHost: t\r\n: c\r\n\r\n", 400, ""},
        BadRequest{"ObsFold", "GET /hello HTTP/1.1\r\nHost: t\r\nA: b\r\n c\r\n\r\n", 400,
                   "folded"},
        BadRequest{"ObsFoldOfEmptyValue", "GET /hello HTTP/1.1\r\nHost: t\r\nA:\r\n c\r\n\r\n", 400,
                   "folded"},
        BadRequest{"NoHost", "GET /hello HTTP/1.1\r\n\r\n", 400, "Host"},
        BadRequest{"TwoHosts", "GET /hello HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n", 400, "Host"},
        BadRequest{"OtherVersion", "GET /hello HTTP/2.0\r\nHost: t\r\n\r\n", 505, "HTTP/1.1"},
        BadRequest{"NoSuchVersion", "GET /hello HTTX/1.1\r\nHost: t\r\n\r\n", 400, "version"},
        BadRequest{"LongTarget",
                   "GET /" + std::string(40'000, 'a') + " HTTP/1.1\r\nHost: t\r\n\r\n", 414,
                   "line"},
        BadRequest{"LongHead",
                   "GET /hello HTTP/1.1\r\nHost: t\r\nA: " + std::string(40'000, 'a') + "\r\n\r\n",
                   431, "large"},
        BadRequest{"ManyFields",
                   [] {
                     std::string bytes = "GET /hello HTTP/1.1\r\nHost: t\r\n";
                     for (int i = 0; i < 300; ++i) bytes += "A: b\r\n";
                     return bytes + "\r\n";
                   }(),
                   431, "fields"},
        BadRequest{"UnknownTransferCoding", kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501,
                   "chunked"},
        BadRequest{"LengthAndChunked",
                   kPost + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", 400,
                   "both"},
        BadRequest{"ChunkedAndLength",
                   kPost + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", 400,
                   "both"},
        BadRequest{"ChunkedTwice",
                   kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
                   "more"},
        BadRequest{"ChunkedIn10",
                   "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
                   "1.0"},
        BadRequest{"TwoLengths", kPost + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400,
                   "Content-Length"},
        BadRequest{"ListOfLengths", kPost + "Content-Length: 3, 3\r\n\r\nabc", 400,
                   "Content-Length"},
        BadRequest{"NegativeLength", kPost + "Content-Length: -3\r\n\r\nabc", 400,
                   "Content-Length"},
        BadRequest{"SignedLength", kPost + "Content-Length: +3\r\n\r\nabc", 400, "Content-Length"},
        BadRequest{"HugeLength", kPost + "Content-Length: 99999999999999999999\r\n\r\nabc", 400,
                   "Content-Length"},
        BadRequest{"UnknownExpectation", kPost + "Content-Length: 3\r\nExpect: miracles\r\n\r\nabc",
                   417, "Expect"},
        BadRequest{"BadChunkSize", kPost + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400,
                   "chunk"},
        BadRequest{"NegativeChunkSize", kPost + "Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400,
                   "chunk"},
        BadRequest{"HugeChunkSize",
                   kPost + "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\n", 400, "chunk"},
        BadRequest{"ChunkWithoutItsEnd",
                   kPost + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n", 400, "chunk"},
        BadRequest{"LongChunkExtension",
                   kPost + "Transfer-Encoding: chunked\r\n\r\n3;" + std::string(20'000, 'a'), 400,
                   "chunk"},
        BadRequest{"TooLargeDeclared", kPost + "Content-Length: 1048577\r\n\r\n", 413, "larger"},
        BadRequest{
            "TooLargeChunked",
            kPost + "Transfer-Encoding: chunked\r\n\r\n200000\r\n" + std::string(0x1c0000, 'a'),
            413, "more than"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ServerRefusal, UnknownContentCodingIs415AndTheConnectionStays) {
  TestServer server({echo_route()});
  RawClient client(server.address());
  client.send(kPost + "Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(client.read_response().status, 415);
  client.send(kPost + "Content-Length: 2\r\n\r\nok");
  EXPECT_EQ(client.read_response().body, "ok");
}

TEST(ServerRefusal, SmallBodyOfARefusedRequestIsSkipped) {
  TestServer server({echo_route(), hello_route()});
  RawClient client(server.address());
  client.send("POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: 30000\r\n\r\n" +
              std::string(30'000, 'a'));
  EXPECT_EQ(client.read_response().status, 404);
  EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(ServerRefusal, LargeBodyOfARefusedRequestEndsTheConnection) {
  TestServer server({echo_route()});
  RawClient client(server.address());
  client.send("POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: 300000\r\n\r\n");
  const RawResponse response = client.read_response();
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.header("Connection"), "close");
}

TEST(ServerRefusal, EarlyRefusalReachesAClientThatStillSends) {
  TestServer server({echo_route()});
  RawClient client(server.address());
  client.send(kPost + "Content-Length: 100000000\r\n\r\n");
  client.try_send(std::string(200'000, 'a'));
  EXPECT_EQ(client.read_response().status, 413);
}

class OneIdentity final : public Guard {
 public:
  std::optional<Response> admit(Request& request, const Route& route) override {
    if (request.header("Authorization") != "Bearer good") return Response::text(401, "no key");
    if (route.role == Role::kAdmin) return Response::text(403, "not for you");
    request.identity.name = "ann";
    saw_loopback =
        request.connection->peer_is_loopback && request.connection->peer_address == "127.0.0.1";
    return std::nullopt;
  }
  std::atomic<bool> saw_loopback = false;
};

TEST(ServerRefusal, GuardDecidesBeforeTheBodyIsRead) {
  OneIdentity guard;
  Route who = test_route(Method::kPost, "/who", [](const Request& request) {
    return Response::text(200, request.identity.name + ":" + std::string(request.body));
  });
  who.role = Role::kViewer;
  Route admins = echo_route();
  admins.role = Role::kAdmin;
  TestServer server({std::move(who), std::move(admins)}, {.guard = &guard});
  RawClient client(server.address());
  client.send("POST /who HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_EQ(client.read_response().status, 401);  // though no byte of the body has come
  client.send(std::string(1000, 'a'));
  client.send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer good\r\nContent-Length: 1\r\n\r\na");
  EXPECT_EQ(client.read_response().status, 403);
  client.send(
      "POST /who HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer good\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(client.read_response().body, "ann:hi");
  EXPECT_TRUE(guard.saw_loopback);
}

TEST(ServerRefusal, RefusedExpectationSendsNoContinue) {
  OneIdentity guard;
  TestServer server({echo_route()}, {.guard = &guard});
  RawClient client(server.address());
  client.send(kPost + "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  const RawResponse response = client.read_response();
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.header("Connection"), "close");
}

TEST(ServerRefusal, ThousandBadConnectionsLeaveNoDescriptor) {
  TestServer server({hello_route(), echo_route()});
  EXPECT_EQ(RawClient(server.address()).get("/hello").status, 200);
  const auto listener_label = InstrumentLabels{{"listener", server.address()}};
  const auto none_open = [&] {
    return server.metric("binnacle_http_connections", listener_label) == 0;
  };
  ASSERT_TRUE(eventually(none_open));
  const size_t before = open_descriptors();
  for (int i = 0; i < 250; ++i) {
    RawClient garbage(server.address());
    garbage.send("\0\1\2garbage\r\n\r\n"s);
    RawClient cut(server.address());
    cut.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhalf");
    RawClient silent(server.address());
    silent.end_sending();
    RawClient gone(server.address());
    gone.try_send("GET /hello HTTP/1.1\r\nHost");
    gone.reset();
  }
  EXPECT_TRUE(eventually([&] { return none_open() && open_descriptors() == before; }));
}

// Holds every descriptor below `limit` but one.
class ScarceDescriptors {
 public:
  ScarceDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit scarce = before_;
    scarce.rlim_cur = 256;
    ::setrlimit(RLIMIT_NOFILE, &scarce);
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) held_.push_back(fd);
    ::close(held_.back());
    held_.pop_back();
  }
  ~ScarceDescriptors() {
    for (const int fd : held_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> held_;
};

TEST(ServerRefusal, RunningOutOfDescriptorsOnlyDelaysTheNextConnection) {
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "UBSan's vptr check opens a pipe, and takes its failure for a broken object";
#endif
  TestServer server({hello_route()});
  EXPECT_EQ(RawClient(server.address()).get("/hello").status, 200);
  LogCapture log;
  std::unique_ptr<RawClient> client;
  {
    ScarceDescriptors scarce;
    client = std::make_unique<RawClient>(server.address());
    EXPECT_TRUE(eventually([&] {
      const auto lines = log.lines();
      return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
        return line.find("out of descriptors") != std::string::npos;
      });
    }));
  }
  EXPECT_EQ(client->get("/hello").status, 200);
  EXPECT_EQ(log.lines().size(), 1u);
}

}  // namespace
}  // namespace binnacle::net
