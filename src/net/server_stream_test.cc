// Answers written piece by piece: framing, back-pressure, clients that go away, events, WebSockets.
#include "net/coding.h"
#include "net/server_test_client.h"
#include "net/stream_handler.h"
#include "net/websocket.h"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>
#include <thread>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;

asio::awaitable<void> write_words(const Request&, BodyReader&, ResponseWriter& writer) {
  Headers headers;
  headers.add("Content-Type", "text/plain");
  co_await writer.start(200, headers);
  for (const std::string_view word : {"one ", "", "two ", "three"}) co_await writer.write(word);
}

TEST(ServerStream, IsChunkedAndTheConnectionStays) {
  TestServer server({test_stream(Method::kGet, "/words", write_words), hello_route()});
  RawClient client(server.address());
  for (int i = 0; i < 2; ++i) {
    const RawResponse response = client.get("/words");
    EXPECT_EQ(response.header("Transfer-Encoding"), "chunked");
    EXPECT_EQ(response.header("Content-Length"), "");
    EXPECT_EQ(response.body, "one two three");
  }
  EXPECT_EQ(client.get("/hello").body, "hello");
}

TEST(ServerStream, RequestsPipelinedBehindAStreamAreAnswered) {
  TestServer server({test_stream(Method::kGet, "/words", write_words), hello_route()});
  RawClient client(server.address());
  const std::string words = "GET /words HTTP/1.1\r\nHost: t\r\n\r\n";
  client.send(words + words + "GET /hello HTTP/1.1\r\nHost: t\r\n\r\n" + words);
  EXPECT_EQ(client.read_response().body, "one two three");
  EXPECT_EQ(client.read_response().body, "one two three");
  EXPECT_EQ(client.read_response().body, "hello");
  EXPECT_EQ(client.read_response().body, "one two three");
}

TEST(ServerStream, RequestSentWhileAStreamRunsIsAnsweredAfterIt) {
  std::atomic<bool> leave = false;
  TestServer server({test_stream(Method::kGet, "/wait",
                                 [&](const Request&, BodyReader&,
                                     ResponseWriter& writer) -> asio::awaitable<void> {
                                   co_await writer.start(200, {});
                                   co_await writer.write("begun");
                                   while (!leave)
                                     co_await writer.sleep(std::chrono::milliseconds(1));
                                 }),
                     hello_route()});
  RawClient client(server.address());
  client.send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
  std::string begun = client.read_until("begun\r\n");
  for (int i = 0; i < 200; ++i)
    client.send("GET /hello HTTP/1.1\r\nHost: t\r\nX: " + std::string(200, 'x') + "\r\n\r\n");
  leave = true;
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "0\r\n\r\n");
  for (int i = 0; i < 200; ++i) EXPECT_EQ(client.read_response().body, "hello");
}

TEST(ServerStream, Http10GetsItUntilTheEnd) {
  TestServer server({test_stream(Method::kGet, "/words", write_words)});
  RawClient client(server.address());
  client.send("GET /words HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const RawResponse response = client.read_response();
  EXPECT_EQ(response.header("Transfer-Encoding"), "");
  EXPECT_EQ(response.header("Connection"), "close");
  EXPECT_EQ(response.body, "one two three");
}

TEST(ServerStream, HeadSendsNoBody) {
  TestServer server({test_stream(Method::kGet, "/words", write_words), hello_route()});
  RawClient client(server.address());
  client.send("HEAD /words HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.read_response(true).status, 200);
  EXPECT_EQ(client.get("/hello").body, "hello");
}

TEST(ServerStream, IsCodedPieceByPiece) {
  TestServer server({test_stream(
      Method::kGet, "/",
      [&](const Request&, BodyReader&, ResponseWriter& writer) -> asio::awaitable<void> {
        Headers headers;
        headers.add("Content-Type", "application/json");
        co_await writer.start(200, headers);
        co_await writer.write(std::string(300'000, 'a'));
        co_await writer.write(std::string(10, 'b'));
      })});
  RawClient client(server.address());
  const RawResponse response = client.get("/", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(response.header("Content-Encoding"), "gzip");
  EXPECT_TRUE(decode(Coding::kGzip, response.body, 1'000'000).value() ==
              std::string(300'000, 'a') + std::string(10, 'b'));
}

TEST(ServerStream, WholeAnswerBySend) {
  const std::string large(400'000, 'z');
  TestServer server({test_stream(
      Method::kGet, "/",
      [&](const Request&, BodyReader&, ResponseWriter& writer) -> asio::awaitable<void> {
        EXPECT_FALSE(writer.started());
        co_await writer.send(Response::text(201, large));
        EXPECT_TRUE(writer.started());
      })});
  RawClient client(server.address());
  const RawResponse plain = client.get("/");
  EXPECT_EQ(plain.status, 201);
  EXPECT_EQ(plain.header("Content-Length"), "400000");
  EXPECT_TRUE(plain.body == large);
  const RawResponse coded = client.get("/", "Accept-Encoding: zstd\r\n");
  EXPECT_TRUE(decode(Coding::kZstd, coded.body, large.size()).value() == large);
}

TEST(ServerStream, HandlerWithoutAnAnswerGives500) {
  TestServer server(
      {test_stream(Method::kGet, "/",
                   [](const Request&, BodyReader&, ResponseWriter&) -> asio::awaitable<void> {
                     co_return;
                   }),
       test_stream(Method::kGet, "/throws",
                   [](const Request&, BodyReader&, ResponseWriter&) -> asio::awaitable<void> {
                     throw std::runtime_error("no");
                     co_return;
                   })});
  RawClient client(server.address());
  EXPECT_EQ(client.get("/").status, 500);
  EXPECT_EQ(client.get("/throws").status, 500);
}

TEST(ServerStream, HandlerThatThrowsMidwayCutsTheBody) {
  TestServer server({test_stream(
      Method::kGet, "/",
      [](const Request&, BodyReader&, ResponseWriter& writer) -> asio::awaitable<void> {
        co_await writer.start(200, {});
        co_await writer.write("half");
        throw std::runtime_error("no");
      })});
  RawClient client(server.address());
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  const std::string bytes = client.read_to_end();
  EXPECT_TRUE(bytes.ends_with("half\r\n"))
      << bytes;  // no last chunk: the client sees that it is not whole
}

TEST(ServerStream, ClientThatGoesAwayEndsTheWait) {
  std::binary_semaphore ended(0);
  TestServer server({test_stream(
      Method::kGet, "/",
      [&](const Request&, BodyReader&, ResponseWriter& writer) -> asio::awaitable<void> {
        co_await writer.start(200, {});
        const bool slept = co_await writer.sleep(std::chrono::hours(1));
        EXPECT_FALSE(slept);
        EXPECT_TRUE(writer.cancelled());
        ended.release();
      })});
  {
    RawClient client(server.address());
    client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    client.read_until("\r\n\r\n");
  }
  EXPECT_TRUE(ended.try_acquire_for(std::chrono::seconds(10)));
}

TEST(ServerStream, ClientThatGoesAwayAfterItsBodyEndsTheWait) {
  std::binary_semaphore ended(0);
  TestServer server({test_stream(
      Method::kPost, "/",
      [&](const Request&, BodyReader& body, ResponseWriter& writer) -> asio::awaitable<void> {
        size_t bytes = 0;
        for (auto piece = co_await body.read(); piece && !piece->empty();
             piece = co_await body.read())
          bytes += piece->size();
        EXPECT_EQ(bytes, 100'000u);
        co_await writer.start(200, {});
        EXPECT_FALSE(co_await writer.sleep(std::chrono::hours(1)));
        ended.release();
      })});
  {
    RawClient client(server.address());
    client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n" +
                std::string(100'000, 'a'));
    client.read_until("\r\n\r\n");
  }
  EXPECT_TRUE(ended.try_acquire_for(std::chrono::seconds(10)));
}

TEST(ServerStream, HalfClosedClientIsStillWrittenTo) {
  TestServer server({test_stream(Method::kGet, "/words", write_words)});
  RawClient client(server.address());
  client.send("GET /words HTTP/1.1\r\nHost: t\r\n\r\n");
  client.end_sending();
  EXPECT_EQ(client.read_response().body, "one two three");
  EXPECT_TRUE(client.at_end());
}

TEST(ServerStream, WriterWaitsForAClientThatDoesNotRead) {
  SimulatedClock clock;
  ServerLimits limits;
  limits.idle_timeout = limits.header_timeout = std::chrono::hours(24 * 365);
  std::atomic<size_t> written = 0;
  std::binary_semaphore ended(0);
  TestServer server({test_stream(Method::kGet, "/",
                                 [&](const Request&, BodyReader&,
                                     ResponseWriter& writer) -> asio::awaitable<void> {
                                   co_await writer.start(200, {});
                                   const std::string piece(100'000, 'x');
                                   for (int i = 0; i < 10'000; ++i) {
                                     const auto sent = co_await writer.write(piece);
                                     if (!sent) {
                                       EXPECT_EQ(sent.error().code, Code::kCancelled);
                                       break;
                                     }
                                     written += piece.size();
                                   }
                                   ended.release();
                                 })},
                    {.limits = limits, .clock = &clock});
  RawClient client(server.address(), 4096);
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_TRUE(eventually([&] {
    clock.advance_ms(1'000);
    return ended.try_acquire();
  }));
  EXPECT_LT(written, 50'000'000u);  // of 1 GB: what the kernel's buffers hold
}

TEST(ServerStream, SlowReaderGetsAll) {
  TestServer server({test_stream(
      Method::kGet, "/",
      [](const Request&, BodyReader&, ResponseWriter& writer) -> asio::awaitable<void> {
        co_await writer.start(200, {});
        const std::string piece(100'000, 'x');
        for (int i = 0; i < 100; ++i) co_await writer.write(piece);
      })});
  RawClient client(server.address(), 4096);
  EXPECT_EQ(client.get("/").body.size(), 10'000'000u);
}

TEST(EventStream, WritesTheFormatOfEvents) {
  TestServer server({test_stream(
      Method::kGet, "/",
      [](const Request&, BodyReader&, ResponseWriter& writer) -> asio::awaitable<void> {
        EventStream events(writer);
        co_await events.start();
        co_await events.send("plain");
        co_await events.send("two\nlines\r\nand one", "update", "7");
        co_await events.send("x", "evil\ndata: y", "1\r2");
        co_await events.keep_alive();
      })});
  RawClient client(server.address());
  const RawResponse response = client.get("/", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(response.header("Content-Type"), "text/event-stream");
  EXPECT_EQ(response.header("Content-Encoding"), "");  // events are not held back by a coder
  EXPECT_EQ(response.body,
            "data: plain\n\n"
            "event: update\nid: 7\ndata: two\ndata: lines\ndata: and one\n\n"
            "event: evil\nid: 1\ndata: x\n\n"
            ": keep-alive\n\n");
}

constexpr std::string_view kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

Route echo_websocket() {
  Route route = test_route(Method::kGet, "/ws", Handler());
  route.handler =
      WebSocketHandler([](const Request& request, WebSocket& socket) -> asio::awaitable<void> {
        while (true) {
          const auto message = co_await socket.read();
          if (!message) co_return;
          co_await socket.write_text(message->data + std::string(request.query));
        }
      });
  return route;
}

// Text frames with an all-zero mask, as a client may send them.
std::string client_frame(char opcode, const std::string& payload) {
  return std::string{static_cast<char>(0x80 | opcode), static_cast<char>(0x80 | payload.size())} +
         std::string(4, '\0') + payload;
}

TEST(ServerWebSocket, UpgradesAndTalks) {
  TestServer server({echo_websocket(), hello_route()});
  RawClient client(server.address());
  client.send(std::string(kUpgrade) + client_frame(1, "early"));  // sent before the answer came
  const RawResponse upgrade = client.read_response();
  EXPECT_EQ(upgrade.status, 101);
  EXPECT_EQ(upgrade.header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(client.read_until("early"),
            "\x81\x05"
            "early");
  client.send(client_frame(1, "later"));
  EXPECT_EQ(client.read_until("later"),
            "\x81\x05"
            "later");
  client.send(client_frame(8, "\x03\xe8"));
  EXPECT_EQ(client.read_to_end().substr(0, 2), "\x88\x02");
  EXPECT_TRUE(eventually([&] {
    return server.metric("binnacle_http_requests_total",
                         {{"method", "GET"}, {"route", "/ws"}, {"status", "101"}}) == 1;
  }));
}

TEST(ServerWebSocket, PlainOrWrongRequestsAreRefused) {
  TestServer server({echo_websocket(), hello_route()});
  RawClient client(server.address());
  EXPECT_EQ(client.get("/ws").status, 400);
  std::string old(kUpgrade);
  old.replace(old.find("Version: 13"), 11, "Version: 8");
  client.send(old);
  const RawResponse response = client.read_response();
  EXPECT_EQ(response.status, 426);
  EXPECT_EQ(response.header("Sec-WebSocket-Version"), "13");
  EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(ServerWebSocket, DrainSaysGoingAway) {
  TestServer server({echo_websocket()});
  RawClient client(server.address());
  client.send(kUpgrade);
  EXPECT_EQ(client.read_response().status, 101);
  client.send(client_frame(1, "x"));
  client.read_until("x");
  std::thread stopper([&] { server.server().stop(std::chrono::seconds(10)); });
  EXPECT_EQ(client.read_until("\x03\xe9").substr(0, 1), "\x88");  // close, 1001
  client.send(client_frame(8, "\x03\xe9"));
  stopper.join();
  client.read_to_end();
}

}  // namespace
}  // namespace binnacle::net
