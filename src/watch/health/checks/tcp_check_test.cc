#include "watch/health/checks/test_checks.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using net::ScriptedPeer;
using net::TestSocket;
using testing::HasSubstr;

class TcpCheckTest : public CheckTest {
 protected:
  std::string check(uint16_t port, const std::string& more, int64_t timeout_ms = 10'000) {
    return text_of(
        run("tcp", "address: \"127.0.0.1:" + std::to_string(port) + "\"" + more, timeout_ms));
  }
};

TEST_F(TcpCheckTest, ConnectsAndTalks) {
  ScriptedPeer peer(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    co_await net::say(socket, "220 ready\r\n");
    char byte;
    while (true) {
      const auto [error, size] =
          co_await socket.async_read_some(asio::buffer(&byte, 1), net::kTestAwait);
      if (error) co_return;
      if (byte == '\n') co_await net::say(socket, "250 ok\r\n");
    }
  });
  EXPECT_THAT(check(peer.port(), ""), HasSubstr("healthy: connected in "));
  EXPECT_THAT(check(peer.port(), ", expect: \"220 \""), HasSubstr("healthy: answered as expected"));
  EXPECT_THAT(check(peer.port(), ", send: \"EHLO x\\r\\n\", expect: \"250 ok\""),
              HasSubstr("healthy"));
  EXPECT_THAT(check(peer.port(), ", expect: never", 200),
              HasSubstr("failed: \"never\" did not come within 200 ms; it said: 220 ready"));
  EXPECT_THAT(check(peer.port(), ", latency: {warn: 0s}"), HasSubstr("degraded: took "));
}

TEST_F(TcpCheckTest, TellsRefusedFromClosedFromWrong) {
  EXPECT_THAT(check(1, ""), HasSubstr("failed: connect to 127.0.0.1:1: "));
  ScriptedPeer closes(loop_, [](TestSocket&, int) -> asio::awaitable<void> { co_return; });
  EXPECT_THAT(check(closes.port(), ", expect: hi"), HasSubstr("failed: \"hi\" did not come: "));
  ScriptedPeer other(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    co_await net::say(socket, "SSH-2.0\n");
  });
  EXPECT_THAT(check(other.port(), ", expect: \"220\""),
              HasSubstr("critical: \"220\" did not come; it said: SSH-2.0"));
  ScriptedPeer floods(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    const std::string piece(16 * 1024, 'x');
    while (true) {
      const auto [error, size] =
          co_await asio::async_write(socket, asio::buffer(piece), net::kTestAwait);
      if (error) co_return;
    }
  });
  EXPECT_THAT(check(floods.port(), ", expect: y"), HasSubstr("critical: \"y\" did not come"));
}

}  // namespace
}  // namespace binnacle::watch::health
