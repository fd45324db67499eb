// Checks of engines and databases against servers that are none or that misbehave; the real ones
// are in tests/health.
#include "watch/health/checks/test_checks.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using net::ScriptedPeer;
using net::TestSocket;
using testing::HasSubstr;

class EngineChecksTest : public CheckTest {
 protected:
  // Says `answer` to all it hears; `flood`: and never stops.
  std::unique_ptr<ScriptedPeer> serve(const std::string& answer, bool flood = false) {
    return std::make_unique<ScriptedPeer>(
        loop_, [answer, flood](TestSocket& socket, int) -> asio::awaitable<void> {
          char request[4096];
          while (true) {
            const auto [error, size] =
                co_await socket.async_read_some(asio::buffer(request), net::kTestAwait);
            if (error) co_return;
            co_await net::say(socket, answer);
            const std::string piece(16 * 1024, '1');
            while (flood) {
              const auto [failed, sent] =
                  co_await asio::async_write(socket, asio::buffer(piece), net::kTestAwait);
              if (failed) co_return;
            }
          }
        });
  }
  std::string ask(const std::string& kind, const ScriptedPeer& peer, const std::string& more = "",
                  int64_t timeout_ms = 10'000) {
    const std::string address = "address: \"127.0.0.1:" + std::to_string(peer.port()) + "\"";
    return text_of(run(kind, address + more, timeout_ms));
  }
};

TEST_F(EngineChecksTest, ModelsMustBeLoaded) {
  const std::string body = R"({"object":"list","data":[{"id":"llama-3"},{"id":"qwen"}]})";
  ScriptedPeer engine(loop_, [body](TestSocket& socket, int) -> asio::awaitable<void> {
    const std::string request = co_await net::read_request(socket);
    const bool right = request.starts_with("GET /v1/models ");
    co_await net::say(socket, "HTTP/1.1 " + std::string(right ? "200 OK" : "404 Not Found") +
                                  "\r\nContent-Length: " + std::to_string(body.size()) +
                                  "\r\n\r\n" + body);
  });
  const auto said = [&](const std::string& target, const std::string& models) {
    return text_of(run("models", "url: \"" + engine.url(target) + "\", models: [" + models + "]"));
  };
  EXPECT_THAT(said("/", "llama-3"), HasSubstr("healthy: loaded: llama-3, qwen"));
  EXPECT_THAT(said("", "llama-3, qwen"), HasSubstr("healthy"));
  EXPECT_THAT(said("/v1/models", "mixtral"),
              HasSubstr("critical: mixtral is not loaded; loaded: "));
  EXPECT_THAT(said("/other", "qwen"), HasSubstr("critical: status 404 Not Found"));
}

TEST_F(EngineChecksTest, WhatIsNoRedisIsToldSo) {
  EXPECT_THAT(ask("redis", *serve("HTTP/1.1 400 Bad Request\r\n\r\n")),
              HasSubstr("failed: no Redis: "));
  EXPECT_THAT(ask("redis", *serve("-ERR no such thing\r\n")),
              HasSubstr("critical: Redis says: ERR no such thing"));
  EXPECT_THAT(ask("redis", *serve("-LOADING Redis is loading\r\n")), HasSubstr("critical: "));
  EXPECT_THAT(ask("redis", *serve("+PONG"), "", 300),
              HasSubstr("failed: no answer to PING in time"));
}

TEST_F(EngineChecksTest, AHostileRedisIsBounded) {
  EXPECT_THAT(ask("redis", *serve("$1000000000\r\n", true)),
              HasSubstr("failed: no Redis: an answer of more than 1 MiB to PING"));
  EXPECT_THAT(
      ask("redis", *serve("*1000000\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n")),
      HasSubstr("failed: "));
  EXPECT_THAT(ask("queue_depth", *serve(":-5\r\n"), ", key: k, warn: 1"), HasSubstr("critical: "));
  EXPECT_THAT(ask("queue_depth", *serve("+list\r\n"), ", key: k, warn: 1"),
              HasSubstr(": 0 waiting"));
}

TEST_F(EngineChecksTest, WhatIsNoPostgresFailsInTime) {
  const int64_t began = clock_.monotonic_ms();
  EXPECT_THAT(ask("postgres", *serve("HTTP/1.1 400 Bad Request\r\n\r\n")), HasSubstr("failed: "));
  EXPECT_THAT(ask("postgres", *serve("S", true), "", 500), HasSubstr("failed: "));
  EXPECT_THAT(ask("postgres", *serve(""), "", 300),
              HasSubstr("failed: PostgreSQL: no answer in time"));
  EXPECT_THAT(text_of(run("postgres", "address: \"127.0.0.1:1\"")), HasSubstr("failed: "));
  EXPECT_LT(clock_.monotonic_ms() - began, 8'000);
}

TEST_F(EngineChecksTest, WhatIsNoGrpcFailsInTime) {
  EXPECT_THAT(ask("grpc", *serve("HTTP/1.1 400 Bad Request\r\n\r\n"), "", 1'000),
              HasSubstr("failed: "));
  EXPECT_THAT(ask("grpc", *serve(""), "", 300), HasSubstr("failed: "));
  EXPECT_THAT(text_of(run("grpc", "address: \"127.0.0.1:1\"")), HasSubstr("failed: "));
}

// Nobody waits for the answer any more when the check goes, and its executor goes right after it.
TEST_F(EngineChecksTest, AGrpcQuestionMayBeLeftBehind) {
  const auto silent = serve("");
  auto check = make("grpc", "address: \"127.0.0.1:" + std::to_string(silent->port()) + "\"");
  const auto own = std::make_unique<asio::io_context>();
  asio::co_spawn(*own, check->run(std::chrono::minutes(5)), asio::detached);
  own->poll();
  check.reset();
}

}  // namespace
}  // namespace binnacle::watch::health
