// The way of ordinary requests: routing, keep-alive, pipelining, the answer's head, codings,
// counts.
#include "net/server.h"

#include "net/coding.h"
#include "net/server_test_client.h"

#include <gtest/gtest.h>

namespace binnacle::net {
namespace {

TEST(Server, AnswersOnAKeptConnection) {
  TestServer server({hello_route()});
  RawClient client(server.address());
  for (int i = 0; i < 3; ++i) {
    const RawResponse response = client.get("/hello");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "hello");
    EXPECT_EQ(response.header("Content-Length"), "5");
    EXPECT_EQ(response.header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(response.header("Connection"), "");
  }
}

TEST(Server, DateIsTheClocksInHttpForm) {
  const SimulatedClock clock(1'700'000'000'000'000'000);
  TestServer server({hello_route()}, {.clock = &clock});
  RawClient client(server.address());
  EXPECT_EQ(client.get("/hello").header("Date"), "Tue, 14 Nov 2023 22:13:20 GMT");
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  TestServer server({test_route(Method::kGet, "/n/{n}", [](const Request& request) {
    return Response::text(200, std::string(request.path_param("n")));
  })});
  RawClient client(server.address());
  std::string requests;
  for (int i = 0; i < 300; ++i)
    requests += "GET /n/" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n";
  client.send(requests);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(client.read_response().body, std::to_string(i));
}

TEST(Server, AnswersThatAreReadyTogetherAreSentTogether) {
  TestServer server({hello_route()});
  RawClient client(server.address());
  const std::string request = "GET /hello HTTP/1.1\r\nHost: t\r\n\r\n";
  client.send(request + request + request);
  const std::string bytes = client.read_some();
  size_t answers = 0;
  for (size_t at = bytes.find("HTTP/1.1 200"); at != std::string::npos;
       at = bytes.find("HTTP/1.1 200", at + 1))
    ++answers;
  EXPECT_EQ(answers, 3u);
}

TEST(Server, PipelinedAnswersOfThePoolKeepTheirOrder) {
  std::vector<Route> routes;
  routes.push_back(hello_route());
  routes.push_back(test_route(
      Method::kGet, "/pool", [](const Request&) { return Response::text(200, "from the pool"); },
      RunOn::kPool));
  TestServer server(std::move(routes));
  RawClient client(server.address());
  client.send(
      "GET /pool HTTP/1.1\r\nHost: t\r\n\r\nGET /hello HTTP/1.1\r\nHost: t\r\n\r\nGET /pool "
      "HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.read_response().body, "from the pool");
  EXPECT_EQ(client.read_response().body, "hello");
  EXPECT_EQ(client.read_response().body, "from the pool");
}

TEST(Server, RequestSplitAtEveryByteIsRead) {
  TestServer server({echo_route()});
  RawClient client(server.address());
  const std::string request = "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc";
  for (const char c : request) client.send({&c, 1});
  EXPECT_EQ(client.read_response().body, "abc");
}

TEST(Server, HeadIsAnsweredByTheGetRouteWithoutBody) {
  TestServer server({hello_route()});
  RawClient client(server.address());
  client.send("HEAD /hello HTTP/1.1\r\nHost: t\r\n\r\nGET /hello HTTP/1.1\r\nHost: t\r\n\r\n");
  const RawResponse head = client.read_response(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Content-Length"), "5");
  EXPECT_EQ(client.read_response().body, "hello");
}

TEST(Server, UnknownPathIs404) {
  TestServer server({hello_route()});
  RawClient client(server.address());
  const RawResponse response = client.get("/nothing");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.header("Content-Type"), "application/json");
  EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(Server, WrongMethodIs405WithAllow) {
  TestServer server({hello_route()});
  RawClient client(server.address());
  client.send("DELETE /hello HTTP/1.1\r\nHost: t\r\n\r\n");
  const RawResponse response = client.read_response();
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.header("Allow"), "GET, HEAD, OPTIONS");
}

TEST(Server, OptionsTellsTheMethods) {
  TestServer server({hello_route()});
  RawClient client(server.address());
  client.send("OPTIONS /hello HTTP/1.1\r\nHost: t\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n");
  const RawResponse one = client.read_response();
  EXPECT_EQ(one.status, 204);
  EXPECT_EQ(one.header("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(one.header("Content-Length"), "");
  EXPECT_EQ(client.read_response().status, 204);
}

TEST(Server, UnknownMethodIs501) {
  TestServer server({hello_route()});
  RawClient client(server.address());
  client.send("BREW /hello HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.read_response().status, 501);
}

TEST(Server, Http10ClosesUnlessAskedToKeep) {
  TestServer server({hello_route()});
  RawClient kept(server.address());
  kept.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.read_response().header("Connection"), "keep-alive");
  kept.send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(kept.read_response().header("Connection"), "close");
  EXPECT_TRUE(kept.at_end());
}

TEST(Server, ConnectionCloseIsHonoured) {
  TestServer server({hello_route()});
  RawClient client(server.address());
  EXPECT_EQ(client.get("/hello", "Connection: close\r\n").header("Connection"), "close");
  EXPECT_TRUE(client.at_end());
}

TEST(Server, ClientThatEndsItsSideStillGetsItsAnswer) {
  TestServer server({test_route(
      Method::kGet, "/", [](const Request&) { return Response::text(200, "late"); },
      RunOn::kPool)});
  RawClient client(server.address());
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  client.end_sending();
  EXPECT_EQ(client.read_response().body, "late");
  EXPECT_TRUE(client.at_end());
}

TEST(Server, RequestIdIsEchoedWhenSaneAndMadeOtherwise) {
  TestServer server({test_route(Method::kGet, "/id", [](const Request& request) {
    return Response::text(200, std::string(request.request_id));
  })});
  RawClient client(server.address());
  EXPECT_EQ(client.get("/id", "X-Request-Id: abc-1\r\n").header("X-Request-Id"), "abc-1");
  const RawResponse made = client.get("/id");
  EXPECT_EQ(made.body.size(), 16u);
  EXPECT_EQ(made.header("X-Request-Id"), made.body);
  EXPECT_NE(client.get("/id").body, made.body);
  EXPECT_EQ(client.get("/id", "X-Request-Id: " + std::string(129, 'x') + "\r\n").body.size(), 16u);
  EXPECT_EQ(client.get("/id", "X-Request-Id: a b\r\n").body.size(), 16u);
}

TEST(Server, HeaderValuesCannotBreakTheHead) {
  TestServer server({test_route(Method::kGet, "/", [](const Request&) {
    Response response = Response::redirect("/x\r\nSet-Cookie: a=b");
    response.headers.add("Content-Length", "999");
    return response;
  })});
  RawClient client(server.address());
  const RawResponse response = client.get("/");
  EXPECT_EQ(response.status, 303);
  EXPECT_EQ(response.header("Set-Cookie"), "");
  EXPECT_EQ(response.header("Location"), "/x  Set-Cookie: a=b");
  EXPECT_EQ(response.header("Content-Length"), "0");
}

TEST(Server, HandlerThatThrowsGives500AndTheServerLives) {
  TestServer server({test_route(Method::kGet, "/",
                                [](const Request&) -> Response { throw std::runtime_error("no"); }),
                     hello_route()});
  RawClient client(server.address());
  EXPECT_EQ(client.get("/").status, 500);
  EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(Server, LargeAnswerComesWhole) {
  const std::string large(3'000'000, 'x');
  TestServer server(
      {test_route(Method::kGet, "/", [&](const Request&) { return Response::text(200, large); })});
  RawClient client(server.address());
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_TRUE(client.read_response().body == large);
  EXPECT_TRUE(client.read_response().body == large);
}

struct CodingCase {
  RunOn run_on;
  size_t bytes;
};

class ServerCoding : public testing::TestWithParam<CodingCase> {};

TEST_P(ServerCoding, LargeTextIsCodedAsTheClientAccepts) {
  const std::string text(GetParam().bytes, 'a');
  TestServer server({test_route(
      Method::kGet, "/", [&](const Request&) { return Response::text(200, text); },
      GetParam().run_on)});
  RawClient client(server.address());
  const RawResponse gzip = client.get("/", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(gzip.header("Content-Encoding"), "gzip");
  EXPECT_EQ(gzip.header("Vary"), "Accept-Encoding");
  EXPECT_TRUE(decode(Coding::kGzip, gzip.body, text.size()).value() == text);
  const RawResponse zstd = client.get("/", "Accept-Encoding: gzip;q=0.5, zstd\r\n");
  EXPECT_EQ(zstd.header("Content-Encoding"), "zstd");
  EXPECT_TRUE(decode(Coding::kZstd, zstd.body, text.size()).value() == text);
  const RawResponse plain = client.get("/");
  EXPECT_EQ(plain.header("Content-Encoding"), "");
  EXPECT_EQ(plain.header("Vary"), "Accept-Encoding");
  EXPECT_TRUE(plain.body == text);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ServerCoding,
                         testing::Values(CodingCase{RunOn::kIoThread, 5'000},
                                         CodingCase{RunOn::kPool, 5'000},
                                         CodingCase{RunOn::kIoThread, 500'000},
                                         CodingCase{RunOn::kPool, 500'000}));

TEST(Server, SmallOrPackedAnswersAreNotCoded) {
  TestServer server({hello_route(), test_route(Method::kGet, "/image", [](const Request&) {
                       Response response;
                       response.headers.add("Content-Type", "image/png");
                       response.body = std::string(5'000, 'a');
                       return response;
                     })});
  RawClient client(server.address());
  EXPECT_EQ(client.get("/hello", "Accept-Encoding: gzip\r\n").header("Content-Encoding"), "");
  const RawResponse image = client.get("/image", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(image.header("Content-Encoding"), "");
  EXPECT_EQ(image.header("Vary"), "");
}

TEST(Server, ListenerServesOnlyItsGroups) {
  Route probe = hello_route();
  probe.group = RouteGroup::kProbes;
  TestServer server({std::move(probe), echo_route()}, {.groups = {RouteGroup::kProbes}});
  RawClient client(server.address());
  EXPECT_EQ(client.get("/hello").status, 200);
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\na");
  EXPECT_EQ(client.read_response().status, 404);
}

TEST(Server, CountsByRoutePatternMethodAndStatus) {
  TestServer server(
      {test_route(Method::kGet, "/n/{n}", [](const Request&) { return Response::text(200, ""); })});
  {
    RawClient client(server.address());
    client.get("/n/1");
    client.get("/n/2");
    client.get("/other");
    EXPECT_EQ(server.metric("binnacle_http_connections", {{"listener", server.address()}}), 1);
  }
  EXPECT_EQ(server.metric("binnacle_http_requests_total",
                          {{"method", "GET"}, {"route", "/n/{n}"}, {"status", "200"}}),
            2);
  EXPECT_EQ(server.metric("binnacle_http_requests_total",
                          {{"method", "GET"}, {"route", "unmatched"}, {"status", "404"}}),
            1);
  EXPECT_EQ(server.metric("binnacle_http_request_duration_seconds_count", {{"route", "/n/{n}"}}),
            2);
  EXPECT_EQ(server.metric("binnacle_http_requests_in_flight", {{"route", "/n/{n}"}}), 0);
  EXPECT_EQ(server.metric("binnacle_http_refusals_total", {{"reason", "not_found"}}), 1);
  EXPECT_TRUE(eventually([&] {
    return server.metric("binnacle_http_connections", {{"listener", server.address()}}) == 0;
  }));
}

TEST(Server, ConnectionsAreSpreadOverThreads) {
  TestServer server({hello_route()}, {.io_threads = 3});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 9; ++i) clients.push_back(std::make_unique<RawClient>(server.address()));
  for (auto& client : clients) EXPECT_EQ(client->get("/hello").body, "hello");
  EXPECT_LT(server.io().slowest_turn_seconds(), 5);
}

}  // namespace
}  // namespace binnacle::net
