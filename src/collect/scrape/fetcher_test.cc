#include "collect/scrape/fetcher.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/file_system.h"
#include "net/coding.h"
#include "net/coroutine_test_loop.h"

namespace binnacle::collect::scrape {
namespace {

using net::TestSocket;
using testing::HasSubstr;

// What a scrape sees of peers that do not behave. The peers say what stands here, byte by byte.
class FetcherTest : public testing::Test {
 protected:
  using Script = net::ScriptedPeer::Script;

  Result<net::Response> fetch(Script script, int64_t timeout_ms = 5'000, size_t max_bytes = 1 << 20,
                              const net::HttpClientConfig& config = {}) {
    net::ScriptedPeer peer(loop_, std::move(script));
    const auto fetcher = http_fetchers(real_file_system(), clock_)(config);
    net::ClientRequest request;
    request.url = peer.url("/metrics");
    request.timeout = std::chrono::milliseconds(timeout_ms);
    request.max_body_bytes = max_bytes;
    return loop_.run(fetcher->fetch(std::move(request)));
  }
  static Script answer(std::string text) {
    return [text](TestSocket& socket, int) -> boost::asio::awaitable<void> {
      while (!(co_await net::read_request(socket)).empty()) co_await net::say(socket, text);
    };
  }

  SystemClock clock_;
  net::TestLoop loop_;
};

std::string page(const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST_F(FetcherTest, UnpacksWhatIsPacked) {
  for (const net::Coding coding : {net::Coding::kGzip, net::Coding::kZstd}) {
    const auto got =
        fetch(answer(page(net::encode(coding, "a 1\n"),
                          "Content-Encoding: " + std::string(net::coding_name(coding)) + "\r\n")));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->body, "a 1\n");
  }
}

TEST_F(FetcherTest, FollowsRedirectsUnlessToldNotTo) {
  const Script script = [](TestSocket& socket, int) -> boost::asio::awaitable<void> {
    for (;;) {
      const std::string request = co_await net::read_request(socket);
      if (request.empty()) co_return;
      const bool moved = request.starts_with("GET /metrics ");
      co_await net::say(socket, moved ? "HTTP/1.1 302 Found\r\nLocation: /there\r\n"
                                        "Content-Length: 0\r\n\r\n"
                                      : page("a 1\n"));
    }
  };
  EXPECT_EQ(fetch(script)->body, "a 1\n");
  net::HttpClientConfig config;
  config.follow_redirects = false;
  EXPECT_EQ(fetch(script, 5'000, 1 << 20, config)->status, 302);
}

TEST_F(FetcherTest, ASlowDripIsOverWithTheTimeout) {
  const auto got = fetch(
      [this](TestSocket& socket, int) -> boost::asio::awaitable<void> {
        co_await net::read_request(socket);
        co_await net::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        for (int i = 0; i < 10'000; ++i) {
          co_await net::say(socket, "x");
          boost::asio::steady_timer pause(loop_.io(), std::chrono::milliseconds(5));
          co_await pause.async_wait(net::kTestAwait);
        }
      },
      100);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::kDeadlineExceeded);
}

TEST_F(FetcherTest, ABodyOverTheLimitIsRefused) {
  const auto got = fetch(answer(page(std::string(2000, 'x'))), 5'000, 1000);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::kResourceExhausted);
  const std::string packed = net::encode(net::Coding::kGzip, std::string(1 << 20, 'x'));
  const auto bomb = fetch(answer(page(packed, "Content-Encoding: gzip\r\n")), 5'000, 100'000);
  ASSERT_FALSE(bomb);
  EXPECT_EQ(bomb.error().code, Code::kResourceExhausted);
}

TEST_F(FetcherTest, ABodyThatBreaksOffIsAnError) {
  const auto got = fetch([](TestSocket& socket, int) -> boost::asio::awaitable<void> {
    co_await net::read_request(socket);
    co_await net::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na 1\n");
  });
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::kDataLoss);
}

TEST_F(FetcherTest, APeerWithoutHttpIsAnError) {
  const auto got = fetch([](TestSocket& socket, int) -> boost::asio::awaitable<void> {
    co_await net::say(socket, "SSH-2.0-OpenSSH\r\n");
  });
  EXPECT_FALSE(got);
}

}  // namespace
}  // namespace binnacle::collect::scrape
