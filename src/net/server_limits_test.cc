// Slow and greedy clients, full routes and full pools. Time is simulated: the limits are the real
// ones.
#include "net/server_test_client.h"
#include "net/stream_handler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>

namespace binnacle::net {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kNever{365LL * 24 * 3600 * 1000};

// Only the limit at test may end anything.
ServerLimits endless() {
  ServerLimits limits;
  limits.header_timeout = limits.idle_timeout = limits.write_timeout = kNever;
  limits.min_body_bytes_per_second = 0;
  return limits;
}

// Lets simulated time pass, more and more, until the server has something to say to `client`.
bool answered_in_time(SimulatedClock& clock, RawClient& client, int64_t step_ms) {
  return eventually([&] {
    clock.advance_ms(step_ms);
    return client.readable();
  });
}

TEST(ServerLimits, SlowHeadIs408) {
  SimulatedClock clock;
  ServerLimits limits = endless();
  limits.header_timeout = milliseconds(10'000);
  TestServer server({hello_route()}, {.limits = limits, .clock = &clock});
  RawClient client(server.address());
  client.send("GET /hello HTTP/1.1\r\nHost:");
  ASSERT_TRUE(answered_in_time(clock, client, 10'001));
  const RawResponse response = client.read_response();
  EXPECT_EQ(response.status, 408);
  EXPECT_EQ(response.header("Connection"), "close");
  client.end_sending();
  EXPECT_TRUE(client.at_end());
}

TEST(ServerLimits, IdleConnectionIsClosedWithoutAWord) {
  SimulatedClock clock;
  ServerLimits limits = endless();
  limits.idle_timeout = milliseconds(75'000);
  TestServer server({hello_route()}, {.limits = limits, .clock = &clock});
  RawClient client(server.address());
  EXPECT_EQ(client.get("/hello").status, 200);
  ASSERT_TRUE(answered_in_time(clock, client, 75'001));
  EXPECT_TRUE(client.at_end());
}

TEST(ServerLimits, ConnectionWithinItsLimitsStays) {
  SimulatedClock clock;
  TestServer server({hello_route()}, {.clock = &clock});
  RawClient client(server.address());
  for (int i = 0; i < 5; ++i) {
    clock.advance_ms(10'000);
    client.send("GET /hello HTTP/1.1\r\n");
    client.send("Host: t\r\n\r\n");
    EXPECT_EQ(client.read_response().status, 200);
  }
}

TEST(ServerLimits, SlowBodyIs408) {
  SimulatedClock clock;
  ServerLimits limits = endless();
  limits.min_body_bytes_per_second = 240;
  TestServer server(
      {test_route(Method::kPost, "/echo", [](const Request&) { return Response::text(200, ""); },
                  RunOn::kIoThread, {.timeout = kNever})},
      {.limits = limits, .clock = &clock});
  RawClient client(server.address());
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5000\r\n\r\nabc");
  ASSERT_TRUE(answered_in_time(clock, client, 1'000));
  EXPECT_EQ(client.read_response().status, 408);
  EXPECT_EQ(server.metric("binnacle_http_refusals_total", {{"reason", "too_slow"}}), 1);
}

TEST(ServerLimits, BodyBeyondTheRoutesTimeIs408) {
  SimulatedClock clock;
  TestServer server(
      {test_route(Method::kPost, "/echo", [](const Request&) { return Response::text(200, ""); },
                  RunOn::kIoThread, {.timeout = milliseconds(3'000)})},
      {.limits = endless(), .clock = &clock});
  RawClient client(server.address());
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5000\r\n\r\nabc");
  ASSERT_TRUE(answered_in_time(clock, client, 1'000));
  EXPECT_EQ(client.read_response().status, 408);
}

TEST(ServerLimits, PeerThatTakesNothingIsCutOff) {
  SimulatedClock clock;
  ServerLimits limits = endless();
  limits.write_timeout = milliseconds(30'000);
  const std::string large(30'000'000, 'x');
  TestServer server(
      {test_route(Method::kGet, "/", [&](const Request&) { return Response::text(200, large); })},
      {.limits = limits, .clock = &clock});
  RawClient client(server.address(), 4096);
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_TRUE(eventually([&] {
    clock.advance_ms(10'000);
    return server.metric("binnacle_http_connections", {{"listener", server.address()}}) == 0 &&
           server.metric("binnacle_http_request_duration_seconds_count", {{"route", "/"}}) == 1;
  }));
  EXPECT_LT(client.read_to_end().size(), large.size());
}

TEST(ServerLimits, ConnectionsBeyondTheMostGet503) {
  ServerLimits limits;
  limits.max_connections = 1;
  TestServer server({hello_route()}, {.limits = limits});
  auto first = std::make_unique<RawClient>(server.address());
  EXPECT_EQ(first->get("/hello").status, 200);
  RawClient second(server.address());
  const RawResponse refused = second.read_response();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_TRUE(second.at_end());
  EXPECT_EQ(first->get("/hello").status, 200);
  first.reset();
  EXPECT_TRUE(eventually([&] {
    RawClient next(server.address());
    return next.try_send("GET /hello HTTP/1.1\r\nHost: t\r\n\r\n") &&
           next.read_response().status == 200;
  }));
}

TEST(ServerLimits, ChangedLimitsHoldForNewRequests) {
  TestServer server({hello_route()});
  RawClient client(server.address());
  EXPECT_EQ(client.get("/hello", "A: " + std::string(500, 'a') + "\r\n").status, 200);
  ServerLimits limits;
  limits.max_header_bytes = 200;
  server.server().set_limits(limits);
  EXPECT_TRUE(eventually([&] {
    return RawClient(server.address())
               .get("/hello", "A: " + std::string(500, 'a') + "\r\n")
               .status == 431;
  }));
}

// A handler that tells when it runs and waits for leave to end.
struct Gate {
  std::counting_semaphore<> entered{0};
  std::counting_semaphore<> leave{0};
  Response pass() {
    entered.release();
    leave.acquire();
    return Response::text(200, "passed");
  }
};

constexpr std::string_view kGetGate = "GET /gate HTTP/1.1\r\nHost: t\r\n\r\n";

TEST(ServerLimits, RouteBeyondItsConcurrencyGives503) {
  Gate gate;
  TestServer server({test_route(Method::kGet, "/gate", [&](const Request&) { return gate.pass(); },
                                RunOn::kPool, {.max_concurrent = 1})});
  RawClient first(server.address());
  first.send(kGetGate);
  gate.entered.acquire();
  RawClient second(server.address());
  const RawResponse refused = second.get("/gate");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(server.metric("binnacle_http_requests_in_flight", {{"route", "/gate"}}), 1);
  gate.leave.release(2);
  EXPECT_EQ(first.read_response().body, "passed");
  EXPECT_EQ(second.get("/gate").body, "passed");  // the place is free again
}

TEST(ServerLimits, FullPoolGives503) {
  Gate gate;
  TestServer server(
      {test_route(
           Method::kGet, "/gate", [&](const Request&) { return gate.pass(); }, RunOn::kPool),
       hello_route()},
      {.pool_threads = 1, .pool_queue = 1});
  RawClient running(server.address()), queued(server.address()), refused(server.address());
  running.send(kGetGate);
  gate.entered.acquire();
  queued.send(kGetGate);
  ASSERT_TRUE(eventually([&] { return server.pool().queued() == 1; }));
  const RawResponse response = refused.get("/gate");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.header("Retry-After"), "1");
  EXPECT_EQ(refused.get("/hello").status, 200);  // the I/O thread is free all the while
  gate.leave.release(2);
  EXPECT_EQ(running.read_response().body, "passed");
  EXPECT_EQ(queued.read_response().body, "passed");
}

TEST(ServerLimits, HandlerBeyondTheRoutesTimeGives503) {
  Gate gate;
  SimulatedClock clock;
  TestServer server(
      {test_route(
           Method::kGet, "/gate", [&](const Request&) { return gate.pass(); }, RunOn::kPool),
       hello_route()},
      {.limits = endless(), .clock = &clock});
  RawClient client(server.address());
  client.send(kGetGate);
  gate.entered.acquire();
  ASSERT_TRUE(answered_in_time(clock, client, 10'000));
  const RawResponse response = client.read_response();
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.header("Connection"), "close");
  gate.leave.release();
  EXPECT_TRUE(client.at_end());
}

TEST(ServerLimits, HandlerBeyondItsTimeKeepsItsPlaceUntilItEnds) {
  Gate gate;
  SimulatedClock clock;
  TestServer server({test_route(Method::kGet, "/gate", [&](const Request&) { return gate.pass(); },
                                RunOn::kPool, {.max_concurrent = 1})},
                    {.limits = endless(), .clock = &clock});
  RawClient late(server.address()), second(server.address());
  late.send(kGetGate);
  gate.entered.acquire();
  ASSERT_TRUE(answered_in_time(clock, late, 10'000));
  EXPECT_EQ(late.read_response().status, 503);
  EXPECT_EQ(second.get("/gate").status, 503);
  EXPECT_EQ(server.metric("binnacle_http_refusals_total", {{"reason", "route_busy"}}), 1);
  gate.leave.release(2);
  EXPECT_TRUE(late.at_end());
  EXPECT_EQ(second.get("/gate").status, 200);
}

TEST(ServerLimits, StreamThatDoesNotStartInTimeGives503) {
  SimulatedClock clock;
  TestServer server({test_stream(Method::kGet, "/",
                                 [](const Request&, BodyReader&,
                                    ResponseWriter& writer) -> boost::asio::awaitable<void> {
                                   while (co_await writer.sleep(std::chrono::hours(1))) {
                                   }
                                 })},
                    {.limits = endless(), .clock = &clock});
  RawClient client(server.address());
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(answered_in_time(clock, client, 10'000));
  EXPECT_EQ(client.read_response().status, 503);
}

}  // namespace
}  // namespace binnacle::net
