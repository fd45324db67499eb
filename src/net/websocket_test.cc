#include "net/websocket.h"

#include "net/coroutine_test_loop.h"
#include "net/tcp_transport.h"
#include "net/websocket_frames.h"

#include <gtest/gtest.h>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/read.hpp>

#include <vector>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;

class WebSocketTest : public testing::Test {
 protected:
  // Both ends as the product makes them, after the handshake.
  void connect(std::optional<DeflateParameters> deflate = std::nullopt,
               WebSocketLimits limits = {}) {
    Local::socket one(loop_.io()), other(loop_.io());
    asio::local::connect_pair(one, other);
    server_ = accept(std::move(one), deflate, limits);
    drop_head(other);
    client_ = make_client_websocket(make_unix_transport(std::move(other)), deflate, "", limits);
  }

  // Our end and a bare socket, for a peer that does what it likes.
  Local::socket connect_raw(WebSocketLimits limits = {},
                            std::optional<DeflateParameters> deflate = std::nullopt) {
    Local::socket one(loop_.io()), other(loop_.io());
    asio::local::connect_pair(one, other);
    server_ = accept(std::move(one), deflate, limits);
    drop_head(other);
    return other;
  }

  std::unique_ptr<WebSocket> accept(Local::socket socket, std::optional<DeflateParameters> deflate,
                                    WebSocketLimits limits) {
    WebSocketAnswer answer{.response_head = "HTTP/1.1 101 Switching Protocols\r\n\r\n",
                           .deflate = deflate};
    auto accepted =
        loop_.run(accept_websocket(make_unix_transport(std::move(socket)), answer, "", limits));
    return std::move(accepted.value());
  }

  static void drop_head(Local::socket& socket) {
    std::string head(36, '\0');
    asio::read(socket, asio::buffer(head));
    ASSERT_TRUE(head.ends_with("\r\n\r\n"));
  }

  static void say_frame(Local::socket& socket, Opcode opcode, std::string_view payload) {
    std::string frame;
    append_frame_header(opcode, false, payload.size(), true, frame);
    append_masked(payload, 0xA1B2C3D4, frame);
    asio::write(socket, asio::buffer(frame));
  }

  // The next frame that our end sent, as opcode and payload (under 126 bytes).
  std::pair<Opcode, std::string> hear_frame(Local::socket& socket) {
    const auto hear = [](Local::socket& from) -> asio::awaitable<std::string> {
      std::string head(2, '\0');
      co_await asio::async_read(from, asio::buffer(head), kTestAwait);
      std::string payload(static_cast<uint8_t>(head[1]), '\0');
      co_await asio::async_read(from, asio::buffer(payload), kTestAwait);
      co_return head + payload;
    };
    const std::string frame = loop_.run(hear(socket));
    return {static_cast<Opcode>(frame[0] & 0x0F), frame.substr(2)};
  }

  Result<WebSocketMessage> read(WebSocket& from) { return loop_.run(from.read()); }

  // Starts a read that goes on beside what follows; `into` gets its outcome.
  void start_read(WebSocket& from, std::optional<Result<WebSocketMessage>>& into) {
    loop_.start([](WebSocket& socket,
                   std::optional<Result<WebSocketMessage>>& outcome) -> asio::awaitable<void> {
      outcome = co_await socket.read();
    }(from, into));
  }

  TestLoop loop_;
  std::unique_ptr<WebSocket> server_;
  std::unique_ptr<WebSocket> client_;
};

TEST_F(WebSocketTest, WhatIsSentAtOnceArrivesWholeAndInOrder) {
  connect();
  const std::string large(30'000, 'q');
  // Nobody reads, so that the kernel takes a part of the last one.
  size_t sent = 0;
  while (server_->try_write_binary(large + std::to_string(sent))) ASSERT_LT(++sent, 1'000U);
  ASSERT_GT(sent, 0U);
  EXPECT_FALSE(server_->try_write_binary("too early"));
  for (size_t i = 0; i < sent; ++i) {
    const auto heard = read(*client_);
    ASSERT_TRUE(heard) << heard.error().message;
    EXPECT_EQ(heard->data, large + std::to_string(i));
  }
  EXPECT_TRUE(server_->try_write_binary("in time"));
  EXPECT_EQ(read(*client_)->data, "in time");
}

TEST_F(WebSocketTest, ACompressingOrClosedConnectionSendsNothingAtOnce) {
  connect(DeflateParameters{});
  EXPECT_FALSE(server_->try_write_binary("x"));
  WebSocketLimits limits;
  limits.close_timeout_ms = 10;
  connect(std::nullopt, limits);
  loop_.run([](WebSocket& socket) -> asio::awaitable<void> {
    co_await socket.close(1000, "");
  }(*server_));
  EXPECT_FALSE(server_->try_write_binary("x"));
}

TEST_F(WebSocketTest, MessagesGoBothWays) {
  for (const bool deflate : {false, true}) {
    connect(deflate ? std::optional(DeflateParameters{}) : std::nullopt);
    const std::string large(70'000, 'q');
    for (const std::string& text :
         {std::string(), std::string("héllo"), std::string(300, 'a'), large}) {
      for (auto [from, to] :
           {std::pair(client_.get(), server_.get()), std::pair(server_.get(), client_.get())}) {
        ASSERT_TRUE(loop_.run(from->write_text(text)));
        const auto heard = read(*to);
        ASSERT_TRUE(heard) << heard.error().message;
        EXPECT_TRUE(heard->text);
        EXPECT_EQ(heard->data, text);
      }
    }
    ASSERT_TRUE(loop_.run(client_->write_binary("\xFF\x00")));
    EXPECT_FALSE(read(*server_)->text);
  }
}

TEST_F(WebSocketTest, AWriteWaitsForTheReaderAndPassesWhole) {
  connect();
  const std::string large(1 << 20, 'w');  // more than a socket's buffers hold
  std::optional<Result<WebSocketMessage>> heard;
  start_read(*server_, heard);
  ASSERT_TRUE(loop_.run(client_->write_binary(large)));
  loop_.run_until([&heard] { return heard.has_value(); });
  EXPECT_EQ((*heard)->data, large);
}

TEST_F(WebSocketTest, ManyWritersDoNotMixTheirFrames) {
  connect(DeflateParameters{});
  int written = 0;
  for (int i = 0; i < 20; ++i) {
    loop_.start([](WebSocket& to, int number, int& done) -> asio::awaitable<void> {
      const std::string message(30'000, static_cast<char>('a' + number));
      EXPECT_TRUE(co_await to.write_text(message));
      ++done;
    }(*server_, i, written));
  }
  std::string seen;
  for (int i = 0; i < 20; ++i) {
    const auto heard = read(*client_);
    ASSERT_TRUE(heard) << heard.error().message;
    ASSERT_EQ(heard->data, std::string(30'000, heard->data[0]));
    seen += heard->data[0];
  }
  EXPECT_EQ(seen, "abcdefghijklmnopqrst");
  loop_.run_until([&written] { return written == 20; });
}

TEST_F(WebSocketTest, CloseIsAnsweredAndEndsBothSides) {
  for (const bool client_closes_first : {true, false}) {
    connect();
    WebSocket& closing = client_closes_first ? *client_ : *server_;
    WebSocket& other = client_closes_first ? *server_ : *client_;
    std::optional<Result<WebSocketMessage>> heard;
    start_read(other, heard);
    loop_.run(closing.close(1001, "going away"));
    loop_.run_until([&heard] { return heard.has_value(); });
    ASSERT_FALSE(*heard);
    EXPECT_EQ(heard->error().code, Code::kCancelled);
    EXPECT_NE(heard->error().message.find("1001 (going away)"), std::string::npos)
        << heard->error().message;
    for (WebSocket* side : {&closing, &other}) {
      EXPECT_TRUE(side->closed());
      EXPECT_EQ(loop_.run(side->write_text("late")).error().code, Code::kCancelled);
      EXPECT_EQ(read(*side).error().code, Code::kCancelled);
    }
  }
}

TEST_F(WebSocketTest, CloseWhileAReaderWaitsEndsTheReader) {
  connect();
  std::optional<Result<WebSocketMessage>> own, others;
  start_read(*server_, own);
  start_read(*client_, others);
  loop_.run(server_->close(1000, ""));
  loop_.run_until([&] { return own.has_value() && others.has_value(); });
  EXPECT_EQ(own->error().code, Code::kCancelled);
  EXPECT_EQ(others->error().code, Code::kCancelled);
}

TEST_F(WebSocketTest, CloseDoesNotWaitForAPeerThatNeverAnswers) {
  auto peer = connect_raw({.close_timeout_ms = 20});
  loop_.run(server_->close(1000, ""));
  EXPECT_TRUE(server_->closed());
  EXPECT_EQ(hear_frame(peer), (std::pair{Opcode::kClose, std::string("\x03\xE8")}));
}

TEST_F(WebSocketTest, AnswersPings) {
  auto peer = connect_raw();
  say_frame(peer, Opcode::kPing, "are you there");
  say_frame(peer, Opcode::kText, "after");
  EXPECT_EQ(read(*server_)->data, "after");
  EXPECT_EQ(hear_frame(peer), (std::pair{Opcode::kPong, std::string("are you there")}));
}

TEST_F(WebSocketTest, ClosesWithTheCodeThatSaysWhy) {
  struct Case {
    std::string payload;
    Opcode opcode;
    std::string code;
    Code error;
  };
  const Case cases[] = {
      {"\xFF\xFE", Opcode::kText, "\x03\xEF", Code::kInvalidArgument},                 // 1007
      {std::string(101, 'x'), Opcode::kBinary, "\x03\xF1", Code::kResourceExhausted},  // 1009
      {"", Opcode::kContinuation, "\x03\xEA", Code::kInvalidArgument},                 // 1002
  };
  for (const Case& one : cases) {
    auto peer = connect_raw({.max_message_bytes = 100});
    std::optional<Result<WebSocketMessage>> outcome;
    start_read(*server_, outcome);
    say_frame(peer, one.opcode, one.payload);
    const auto [opcode, payload] = hear_frame(peer);
    EXPECT_EQ(opcode, Opcode::kClose);
    EXPECT_EQ(payload.substr(0, 2), one.code);
    peer.close();
    loop_.run_until([&outcome] { return outcome.has_value(); });
    ASSERT_FALSE(*outcome);
    EXPECT_EQ(outcome->error().code, one.error) << outcome->error().message;
  }
}

TEST_F(WebSocketTest, PingsASilentPeerThenDropsIt) {
  auto peer = connect_raw({.idle_timeout_ms = 20});
  std::optional<Result<WebSocketMessage>> outcome;
  start_read(*server_, outcome);
  EXPECT_EQ(hear_frame(peer).first, Opcode::kPing);
  loop_.run_until([&outcome] { return outcome.has_value(); });
  ASSERT_FALSE(*outcome);
  EXPECT_EQ(outcome->error().code, Code::kDeadlineExceeded) << outcome->error().message;
}

TEST_F(WebSocketTest, APeerThatAnswersPingsStays) {
  auto peer = connect_raw({.idle_timeout_ms = 300});
  std::optional<Result<WebSocketMessage>> outcome;
  start_read(*server_, outcome);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(hear_frame(peer).first, Opcode::kPing);
    say_frame(peer, Opcode::kPong, "");
  }
  say_frame(peer, Opcode::kText, "still here");
  loop_.run_until([&outcome] { return outcome.has_value(); });
  ASSERT_TRUE(*outcome) << outcome->error().message;
  EXPECT_EQ((*outcome)->data, "still here");
}

TEST_F(WebSocketTest, DropsAPeerThatDoesNotRead) {
  auto peer = connect_raw({.write_timeout_ms = 20});
  const auto written = loop_.run(server_->write_binary(std::string(16 << 20, 'x')));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::kDeadlineExceeded);
  EXPECT_TRUE(server_->closed());
}

TEST_F(WebSocketTest, ALostConnectionIsNotAClose) {
  auto peer = connect_raw();
  peer.close();
  const auto outcome = read(*server_);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kUnavailable);
}

TEST_F(WebSocketTest, TakesWhatWasReadAheadOfTheAnswer) {
  Local::socket one(loop_.io()), other(loop_.io());
  asio::local::connect_pair(one, other);
  std::string frame;
  append_frame_header(Opcode::kText, false, 5, false, frame);
  const auto socket =
      make_client_websocket(make_unix_transport(std::move(one)), std::nullopt, frame + "early", {});
  EXPECT_EQ(read(*socket)->data, "early");
}

TEST_F(WebSocketTest, MayBeLetGoWhileAPingIsWritten) {
  auto peer = connect_raw({.idle_timeout_ms = 2});
  std::optional<Result<WebSocketMessage>> outcome;
  start_read(*server_, outcome);
  EXPECT_EQ(hear_frame(peer).first, Opcode::kPing);
  peer.close();
  loop_.run_until([&outcome] { return outcome.has_value(); });
  server_.reset();
  while (loop_.io().poll() > 0) {
  }
}

}  // namespace
}  // namespace binnacle::net
