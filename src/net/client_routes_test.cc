// The client's ways to a server: proxies, tunnels, Unix sockets, threads that are not I/O threads,
// and WebSocket from end to end through the project's own server.
#include "net/client.h"
#include "net/coroutine_test_loop.h"
#include "net/server_test_client.h"
#include "net/test_certificates.h"
#include "net/tls_transport.h"

#include <gtest/gtest.h>
#include <boost/asio/local/stream_protocol.hpp>

#include <atomic>
#include <cstdlib>
#include <thread>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// The proxy variables as the test wants them; the caller's own come back at the end.
class ProxyEnvironment {
 public:
  explicit ProxyEnvironment(const std::string& proxy) {
    for (const char* name : kNames) {
      const char* value = std::getenv(name);
      before_.emplace_back(name,
                           value != nullptr ? std::optional<std::string>(value) : std::nullopt);
      ::unsetenv(name);
    }
    ::setenv("http_proxy", proxy.c_str(), 1);
    ::setenv("https_proxy", proxy.c_str(), 1);
  }
  ~ProxyEnvironment() {
    for (const auto& [name, value] : before_) {
      if (value) {
        ::setenv(name, value->c_str(), 1);
      } else {
        ::unsetenv(name);
      }
    }
  }

 private:
  static constexpr const char* kNames[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                           "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
  std::vector<std::pair<const char*, std::optional<std::string>>> before_;
};

std::string proxy_url(const ScriptedPeer& peer) {
  return "http://me:word@127.0.0.1:" + std::to_string(peer.port());
}

TEST(ClientRoutes, AsksAProxyForPlainUrls) {
  TestLoop loop;
  std::vector<std::string> requests;
  ScriptedPeer proxy(loop, [&requests](TestSocket& socket, int) -> asio::awaitable<void> {
    for (std::string request; !(request = co_await read_request(socket)).empty();) {
      requests.push_back(request);
      co_await say(socket, kHello);
    }
  });
  const ProxyEnvironment environment(proxy_url(proxy));
  Client client({}, real_file_system());
  for (const char* url : {"http://one.example/a?b", "http://two.example:81/"}) {
    const auto response = loop.run(client.send({.url = url}));
    ASSERT_TRUE(response) << response.error().message;
  }
  EXPECT_TRUE(
      requests.at(0).starts_with("GET http://one.example/a?b HTTP/1.1\r\nHost: one.example\r\n"));
  EXPECT_NE(requests.at(0).find("Proxy-Authorization: Basic bWU6d29yZA==\r\n"), std::string::npos);
  EXPECT_TRUE(requests.at(1).starts_with(
      "GET http://two.example:81/ HTTP/1.1\r\nHost: two.example:81\r\n"));
  EXPECT_EQ(proxy.connections(), 1) << "one connection to the proxy serves all hosts";
}

class TunnelTest : public testing::Test {
 public:
  TunnelTest() {
    std::string name = testing::TempDir() + "binnacle-tunnel-XXXXXX";
    CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name + "/";
    const TestAuthority authority("tunnel authority");
    const auto pair = authority.issue("far", "DNS:far.example");
    write("ca.pem", authority.certificate());
    write("far.pem", pair.certificate);
    write("far.key", pair.key);
  }
  ~TunnelTest() override { (void)files_.remove_all(folder_); }

 protected:
  void write(const std::string& name, const std::string& bytes) {
    CHECK(files_.write_file_atomically(folder_ + name, bytes, 0600).has_value());
  }

  FileSystem& files_ = real_file_system();
  std::string folder_;
  TestLoop loop_;
};

TEST_F(TunnelTest, SecureUrlsGoThroughATunnel) {
  const auto context = TlsServerContext::load(files_, {.certificate_file = folder_ + "far.pem",
                                                       .key_file = folder_ + "far.key"})
                           .value();
  std::string asked;
  std::string inside;
  ScriptedPeer proxy(loop_, [&](TestSocket& socket, int) -> asio::awaitable<void> {
    asked = co_await read_request(socket);
    co_await say(socket, "HTTP/1.1 200 Connection established\r\n\r\n");
    auto far = co_await accept_tls(std::move(socket), context->current(), milliseconds(5000));
    if (!far) co_return;
    inside.resize(4096);
    const auto [error, size] = co_await far->transport->read_some(asio::buffer(inside));
    inside.resize(size);
    co_await far->transport->write(asio::buffer(kHello), {});
  });
  const ProxyEnvironment environment(proxy_url(proxy));
  ClientOptions options;
  options.tls.ca_file = folder_ + "ca.pem";
  Client client(options, files_);
  const auto response = loop_.run(client.send({.url = "https://far.example/x"}));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "hello");
  EXPECT_TRUE(asked.starts_with("CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n"))
      << asked;
  EXPECT_NE(asked.find("Proxy-Authorization: Basic bWU6d29yZA==\r\n"), std::string::npos);
  EXPECT_TRUE(inside.starts_with("GET /x HTTP/1.1\r\nHost: far.example\r\n")) << inside;
  EXPECT_EQ(inside.find("Proxy-Authorization"), std::string::npos);
}

TEST_F(TunnelTest, ARefusedTunnelSaysSo) {
  ScriptedPeer proxy(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    (void)co_await read_request(socket);
    co_await say(socket, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  });
  const ProxyEnvironment environment(proxy_url(proxy));
  Client client({}, files_);
  const auto response = loop_.run(client.send({.url = "https://far.example/x"}));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::kUnavailable);
  EXPECT_NE(response.error().message.find("407"), std::string::npos) << response.error().message;
  EXPECT_EQ(response.error().message.find("word"), std::string::npos);
}

ClientOptions straight() {
  ClientOptions options;
  options.proxy_from_environment = false;
  return options;
}

TEST_F(TunnelTest, GoesToAUnixSocketWhateverTheHost) {
  TestServer server({hello_route()}, {.address = "unix:" + folder_ + "socket"});
  ClientOptions options = straight();
  options.unix_socket = folder_ + "socket";
  Client client(options, files_);
  const auto response = loop_.run(client.send({.url = "http://docker/hello"}));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "hello");
  options.unix_socket = folder_ + "nobody";
  Client lost(options, files_);
  const auto missing = loop_.run(lost.send({.url = "http://docker/hello"}));
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("nobody"), std::string::npos);
}

TEST(ClientRoutes, OtherThreadsMayWaitForAnAnswer) {
  TestServer server({hello_route(), echo_route()});
  IoThreads io(2);
  io.start();
  Client client(straight(), real_file_system());
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 25; ++j) {
        const auto response = client.send_blocking(
            io,
            {.method = Method::kPost, .url = "http://" + server.address() + "/echo", .body = "b"});
        if (response && response->body == "b") ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 100);
  io.stop();
  const auto stopped = client.send_blocking(
      io, {.url = "http://" + server.address() + "/hello", .timeout = milliseconds(0)});
  EXPECT_FALSE(stopped);
}

TEST(ClientRoutes, SpeaksWebSocketToTheServer) {
  const WebSocketHandler echo = [](const Request& request,
                                   WebSocket& socket) -> asio::awaitable<void> {
    const std::string greeting = "you asked for " + std::string(request.target);
    (void)co_await socket.write_text(greeting);
    while (true) {
      const auto message = co_await socket.read();
      if (!message) co_return;
      if (message->data == "bye") {
        co_await socket.close(1000, "bye");
        co_return;
      }
      (void)co_await socket.write_text(message->data);
    }
  };
  TestServer server(
      {Route{.pattern = "/ws", .role = Role::kPublic, .handler = echo}, hello_route()});
  TestLoop loop;
  Client client(straight(), real_file_system());
  auto connected =
      loop.run(client.connect_websocket({.url = "ws://" + server.address() + "/ws?a=1"}, {}));
  ASSERT_TRUE(connected) << connected.error().message;
  WebSocket& socket = **connected;
  EXPECT_EQ(loop.run(socket.read())->data, "you asked for /ws?a=1");
  const std::string text(5000, 't');
  ASSERT_TRUE(loop.run(socket.write_text(text)));
  EXPECT_EQ(loop.run(socket.read())->data, text);
  ASSERT_TRUE(loop.run(socket.write_text("bye")));
  const auto closed = loop.run(socket.read());
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code, Code::kCancelled);

  const auto refused =
      loop.run(client.connect_websocket({.url = "ws://" + server.address() + "/hello"}, {}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
}

TEST(ClientRoutes, AWebSocketDoesWithoutCompression) {
  const WebSocketHandler tell = [](const Request& request,
                                   WebSocket& socket) -> asio::awaitable<void> {
    (void)co_await socket.write_text("offered: " +
                                     std::string(request.header("Sec-WebSocket-Extensions")));
  };
  TestServer server({Route{.pattern = "/ws", .role = Role::kPublic, .handler = tell}});
  TestLoop loop;
  Client client(straight(), real_file_system());
  const ClientRequest request{.url = "ws://" + server.address() + "/ws"};
  auto plain = loop.run(client.connect_websocket(request, {.offer_compression = false}));
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(loop.run((*plain)->read())->data, "offered: ");
  auto usual = loop.run(client.connect_websocket(request, {}));
  ASSERT_TRUE(usual) << usual.error().message;
  EXPECT_NE(loop.run((*usual)->read())->data, "offered: ");
}

}  // namespace
}  // namespace binnacle::net
