#include "watch/health/engines/canary.h"

#include <gtest/gtest.h>

#include "net/coroutine_test_loop.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using net::TestSocket;
using Outcome = CanaryResult::Outcome;

TEST(TokenStream, FindsTheFirstTokenHoweverTheBytesCome) {
  const std::string text =
      ": keep-alive\r\n\r\n"
      "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n"
      "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
  for (size_t size = 1; size <= text.size(); ++size) {
    TokenStream stream;
    Piece found = Piece::kNothing;
    size_t at = 0;
    for (; at < text.size() && found == Piece::kNothing; at += size)
      found = stream.feed(std::string_view(text).substr(at, size));
    EXPECT_EQ(found, Piece::kToken);
    EXPECT_GE(at + 2, text.size()) << "the empty first piece is no token";
  }
}

TEST(TokenStream, ALineWithoutEndIsCutAndForgotten) {
  TokenStream stream;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(stream.feed(std::string(10'000, 'x')), Piece::kNothing);
  EXPECT_EQ(stream.feed("\ndata: {\"choices\":[{\"text\":\"a\"}]}\n"), Piece::kToken);
}

TEST(ReadPiece, TellsTokensErrorsAndNothingApart) {
  EXPECT_EQ(read_piece(R"({"choices":[{"text":"a"}]})"), Piece::kToken);
  EXPECT_EQ(read_piece(R"({"choices":[{"text":"","finish_reason":"length"}]})"), Piece::kToken);
  EXPECT_EQ(read_piece(R"({"choices":[{"message":{"content":"a"}}]})"), Piece::kToken);
  EXPECT_EQ(read_piece(R"({"choices":[{"delta":{"reasoning_content":"a"}}]})"), Piece::kToken);
  EXPECT_EQ(read_piece(R"({"choices":[{"delta":{"role":"assistant"}}]})"), Piece::kNothing);
  EXPECT_EQ(read_piece(R"({"choices":[]})"), Piece::kNothing);
  EXPECT_EQ(read_piece(R"({"error":{"message":"dead"}})"), Piece::kError);
  EXPECT_EQ(read_piece(R"({"error":null,"choices":[{"text":"a"}]})"), Piece::kToken);
  for (const char* other : {"[DONE]", "", "null", "[1]", "{", R"({"choices":{"text":"a"}})"})
    EXPECT_EQ(read_piece(other), Piece::kNothing) << other;
}

// What an engine that answers each request by `script` makes of a canary.
CanaryAnswer asked(net::ScriptedPeer::Script script, std::chrono::milliseconds timeout) {
  net::TestLoop loop;
  const SystemClock clock;
  net::ScriptedPeer peer(loop, std::move(script));
  net::Client client({}, real_file_system());
  return loop.run(ask_for_token(client, "http://127.0.0.1:" + std::to_string(peer.port()),
                                canary_request(CanaryShape::kCompletion, "m"), timeout, clock));
}

CanaryAnswer answered(int status, std::string_view text) {
  const std::string answer = "HTTP/1.1 " + std::to_string(status) +
                             " X\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" +
                             std::string(text);
  return asked(
      [answer](TestSocket& socket, int) -> asio::awaitable<void> {
        const std::string request = co_await net::read_request(socket);
        EXPECT_TRUE(request.starts_with("POST /v1/completions "));
        EXPECT_NE(request.find("\"max_tokens\":1"), std::string::npos);
        co_await net::say(socket, answer);
        co_await net::client_closes(socket);
      },
      std::chrono::seconds(5));
}

TEST(AskForToken, ATokenOfAStreamOrOfAWholeAnswerCounts) {
  for (const char* text : {"data: {\"choices\":[{\"text\":\"a\"}]}\n\n",
                           "{\"choices\":[{\"text\":\"a\",\"finish_reason\":\"length\"}]}"}) {
    const CanaryAnswer answer = answered(200, text);
    EXPECT_EQ(answer.result.outcome, Outcome::kTokens) << answer.result.detail;
    EXPECT_EQ(answer.result.tokens, 1);
  }
}

TEST(AskForToken, AnAnswerThatEndsWithoutATokenHasFailed) {
  EXPECT_EQ(answered(200, "data: [DONE]\n\n").result.outcome, Outcome::kFailed);
}

TEST(AskForToken, KeepAlivesWithoutATokenAreNothing) {
  const CanaryAnswer answer = asked(
      [](TestSocket& socket, int) -> asio::awaitable<void> {
        co_await net::read_request(socket);
        co_await net::say(socket, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        asio::steady_timer timer(socket.get_executor());
        for (int i = 0; i < 30; ++i) {
          co_await net::say(socket, ": keep-alive\n\n");
          timer.expires_after(std::chrono::milliseconds(20));
          co_await timer.async_wait(net::kTestAwait);
        }
      },
      std::chrono::milliseconds(300));
  EXPECT_EQ(answer.result.outcome, Outcome::kNothing);
  EXPECT_GE(answer.result.took_ms, 290);
}

TEST(AskForToken, StatusesAreReadForWhatTheyMean) {
  EXPECT_EQ(answered(429, "{}").result.outcome, Outcome::kOverloaded);
  EXPECT_EQ(answered(503, "{}").result.outcome, Outcome::kOverloaded);
  EXPECT_EQ(answered(500, "{}").result.outcome, Outcome::kFailed);
  EXPECT_FALSE(answered(500, "{}").unwelcome);
  EXPECT_TRUE(answered(401, "{}").unwelcome);
  EXPECT_TRUE(answered(404, "{}").unwelcome);
}

TEST(AskForToken, NobodyThereIsRefused) {
  net::TestLoop loop;
  const SystemClock clock;
  net::Client client({}, real_file_system());
  const CanaryAnswer answer =
      loop.run(ask_for_token(client, "http://127.0.0.1:1", canary_request(CanaryShape::kChat, "m"),
                             std::chrono::seconds(5), clock));
  EXPECT_EQ(answer.result.outcome, Outcome::kRefused);
  EXPECT_FALSE(answer.result.detail.empty());
}

}  // namespace
}  // namespace binnacle::watch::health
