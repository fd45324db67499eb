// The HTTP check against peers that answer well, badly, slowly and without end.
#include "watch/health/checks/test_checks.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using net::say;
using net::ScriptedPeer;
using net::TestSocket;
using testing::HasSubstr;

std::string answer_of(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

class HttpCheckTest : public CheckTest {
 protected:
  std::unique_ptr<ScriptedPeer> serve(const std::string& answer) {
    return std::make_unique<ScriptedPeer>(
        loop_, [this, answer](TestSocket& socket, int) -> asio::awaitable<void> {
          request_ = co_await net::read_request(socket);
          co_await say(socket, answer);
        });
  }
  // The check of a server that answers so.
  std::string judged(const std::string& answer, const std::string& settings) {
    const auto peer = serve(answer);
    return text_of(run("http", "url: \"" + peer->url("/h") + "\"" + settings));
  }
  std::string request_;
};

TEST_F(HttpCheckTest, AGoodAnswerIsHealthy) {
  const auto peer = serve(answer_of("200 OK", "fine"));
  const Reading reading = run("http", "url: \"" + peer->url("/health?x=1") +
                                          "\", method: POST, body: ping, headers: {X-A: b}, "
                                          "bearer_token: word, contains: fine");
  EXPECT_THAT(text_of(reading), HasSubstr("healthy: 200 OK in "));
  EXPECT_EQ(reading.unit, "seconds");
  EXPECT_GT(reading.value.value_or(0), 0);
  EXPECT_THAT(request_, HasSubstr("POST /health?x=1 HTTP/1.1"));
  EXPECT_THAT(request_, HasSubstr("X-A: b"));
  EXPECT_THAT(request_, HasSubstr("Authorization: Bearer word"));
  EXPECT_THAT(request_, HasSubstr("ping"));
}

TEST_F(HttpCheckTest, JudgesStatusAndBody) {
  EXPECT_THAT(judged(answer_of("503 Service Unavailable", "x"), ""),
              HasSubstr("critical: status 503 Service Unavailable, wanted 200-299"));
  EXPECT_THAT(judged(answer_of("503 Service Unavailable", "x"), ", status: [2xx, 503]"),
              HasSubstr("healthy: 503"));
  EXPECT_THAT(judged(answer_of("404 Not Found", ""), ", status: 404"), HasSubstr("healthy: 404"));
  EXPECT_THAT(judged(answer_of("200 OK", "all bad"), ", contains: [all, good]"),
              HasSubstr("critical: the body lacks \"good\"; 200 OK"));
  EXPECT_THAT(judged(answer_of("200 OK", "all bad"), ", not_contains: bad"),
              HasSubstr("critical: the body has \"bad\""));
  EXPECT_THAT(judged(answer_of("200 OK", "v17"), ", matches: \"^v[0-9]+$\""), HasSubstr("healthy"));
  EXPECT_THAT(judged(answer_of("200 OK", "w17"), ", matches: \"^v[0-9]+$\""),
              HasSubstr("critical: the body does not match"));
}

TEST_F(HttpCheckTest, JudgesJson) {
  const std::string body = answer_of("200 OK", R"({"status":"ok","queue":{"depth":[7]},"n":"5"})");
  EXPECT_THAT(judged(body,
                     ", json: [{path: $.status, equals: ok}, "
                     "{path: \"$.queue.depth[0]\", min: 1, max: 10}]"),
              HasSubstr("healthy"));
  EXPECT_THAT(judged(body, ", json: [{path: $.status, equals: up, otherwise: degraded}]"),
              HasSubstr("degraded: $.status is ok, wanted up"));
  EXPECT_THAT(judged(body, ", json: [{path: \"$.queue.depth[0]\", max: 5}]"),
              HasSubstr("critical: $.queue.depth[0] is 7, wanted at most 5"));
  EXPECT_THAT(judged(body, ", json: [{path: $.none, equals: 1}]"),
              HasSubstr("critical: nothing stands at $.none"));
  EXPECT_THAT(judged(body, ", json: [{path: $.n, min: 1}]"), HasSubstr("critical: $.n is 5"));
  EXPECT_THAT(judged(answer_of("200 OK", "<html>"), ", json: [{path: $.a, equals: 1}]"),
              HasSubstr("critical: the body is not JSON"));
}

TEST_F(HttpCheckTest, JudgesLatency) {
  const auto peer = serve(answer_of("200 OK", ""));
  const std::string url = "url: \"" + peer->url() + "\"";
  EXPECT_THAT(text_of(run("http", url + ", latency: {warn: 0s, critical: 1h}")),
              HasSubstr("degraded: took "));
  EXPECT_THAT(text_of(run("http", url + ", latency: {critical: 0s}")), HasSubstr("critical: took"));
}

TEST_F(HttpCheckTest, ARedirectIsFollowedOrNot) {
  const std::string moved = "HTTP/1.1 302 Found\r\nLocation: /h\r\nContent-Length: 0\r\n\r\n";
  EXPECT_THAT(judged(moved, ", max_redirects: 0"), HasSubstr("critical: status 302 Found"));
  EXPECT_THAT(judged(moved, ", max_redirects: 3"), HasSubstr("critical: "));
  EXPECT_THAT(judged(moved, ", follow_redirects: false, status: 3xx"), HasSubstr("healthy: 302"));
}

TEST_F(HttpCheckTest, WhatDoesNotAnswerHasFailed) {
  EXPECT_THAT(text_of(run("http", "url: \"http://127.0.0.1:1/\"")), HasSubstr("failed: "));
  ScriptedPeer silent(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    co_await net::read_request(socket);
    co_await net::client_closes(socket);
  });
  const int64_t began = clock_.monotonic_ms();
  EXPECT_THAT(text_of(run("http", "url: \"" + silent.url() + "\"", 200)),
              HasSubstr("failed: GET http://127.0.0.1"));
  EXPECT_LT(clock_.monotonic_ms() - began, 5'000);
  EXPECT_THAT(judged("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut", ""),
              HasSubstr("failed: "));
  EXPECT_THAT(judged("220 smtp ready\r\n", ""), HasSubstr("failed: "));
}

TEST_F(HttpCheckTest, AnEndlessBodyCostsItsBoundAndADripItsTime) {
  size_t sent = 0;
  ScriptedPeer huge(loop_, [&sent](TestSocket& socket, int) -> asio::awaitable<void> {
    co_await net::read_request(socket);
    co_await say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    const std::string piece(16 * 1024, 'x');
    while (true) {
      const auto [error, size] =
          co_await asio::async_write(socket, asio::buffer(piece), net::kTestAwait);
      if (error) co_return;
      sent += size;
    }
  });
  const std::string url = "url: \"" + huge.url() + "\", max_body: 64KB";
  EXPECT_THAT(text_of(run("http", url)), HasSubstr("healthy: 200 OK"));
  EXPECT_THAT(text_of(run("http", url + ", contains: y")),
              HasSubstr("critical: the body lacks \"y\" in the first 64 KiB"));
  EXPECT_THAT(text_of(run("http", url + ", json: [{path: $.a, equals: 1}]")),
              HasSubstr("larger than max_body"));
  EXPECT_LT(sent, size_t{64} << 20);

  ScriptedPeer drip(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    co_await net::read_request(socket);
    co_await say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    asio::steady_timer timer(socket.get_executor());
    for (int i = 0; i < 1000; ++i) {
      co_await say(socket, "x");
      timer.expires_after(std::chrono::milliseconds(20));
      co_await timer.async_wait(net::kTestAwait);
    }
  });
  EXPECT_THAT(text_of(run("http", "url: \"" + drip.url() + "\"", 300)),
              HasSubstr("failed: response body"));
}

}  // namespace
}  // namespace binnacle::watch::health
