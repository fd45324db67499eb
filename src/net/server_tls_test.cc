// The server behind TLS, asked by our own client: what waits, streams and ends the same way over
// TLS.
#include "base/file_system.h"
#include "net/client.h"
#include "net/coroutine_test_loop.h"
#include "net/server_test_client.h"
#include "net/stream_handler.h"
#include "net/test_certificates.h"
#include "net/tls.h"

#include <gtest/gtest.h>
#include <boost/asio/ssl.hpp>

#include <cstdlib>
#include <semaphore>
#include <thread>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;

class ServerTls : public testing::Test {
 protected:
  ServerTls() {
    std::string name = testing::TempDir() + "binnacle-server-tls-XXXXXX";
    CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name + "/";
    write("ca.pem", authority_.certificate());
    write_pair("server", authority_.issue("server", "IP:127.0.0.1"));
    write_pair("client", authority_.issue("agent-7", ""));
    context_ = TlsServerContext::load(files_, {.certificate_file = folder_ + "server.pem",
                                               .key_file = folder_ + "server.key",
                                               .client_ca_file = folder_ + "ca.pem"})
                   .value();
    ClientOptions options;
    options.proxy_from_environment = false;
    options.tls.ca_file = folder_ + "ca.pem";
    options.tls.certificate_file = folder_ + "client.pem";
    options.tls.key_file = folder_ + "client.key";
    client_ = std::make_unique<Client>(options, files_);
  }
  ~ServerTls() override { (void)files_.remove_all(folder_); }

  void write(const std::string& name, const std::string& bytes) {
    CHECK(files_.write_file_atomically(folder_ + name, bytes, 0600).has_value());
  }
  void write_pair(const std::string& name, const CertificateAndKey& pair) {
    write(name + ".pem", pair.certificate);
    write(name + ".key", pair.key);
  }
  Response send(const TestServer& server, ClientRequest request) {
    request.url = "https://" + server.address() + request.url;
    auto response = loop_.run(client_->send(std::move(request)));
    CHECK(response.has_value());
    return std::move(*response);
  }

  FileSystem& files_ = real_file_system();
  std::string folder_;
  const TestAuthority authority_{"test authority"};
  std::unique_ptr<TlsServerContext> context_;
  TestLoop loop_;
  std::unique_ptr<Client> client_;
};

TEST_F(ServerTls, TellsHandlersWhoTheClientIs) {
  TestServer server({test_route(Method::kGet, "/who",
                                [](const Request& request) {
                                  return Response::text(
                                      200, (request.connection->tls ? "tls " : "plain ") +
                                               request.connection->client_certificate);
                                })},
                    {.tls = context_.get()});
  EXPECT_EQ(send(server, {.url = "/who"}).body, "tls CN=agent-7");
  EXPECT_EQ(send(server, {.url = "/who"}).body, "tls CN=agent-7");
  EXPECT_EQ(server.metric("binnacle_http_connections", {{"listener", server.address()}}), 1);
}

TEST_F(ServerTls, LargeBodiesPassBothWays) {
  TestServer server({echo_route()}, {.tls = context_.get()});
  const std::string large(1'000'000, 'x');
  EXPECT_TRUE(send(server, {.method = Method::kPost, .url = "/echo", .body = large}).body == large);
}

TEST_F(ServerTls, PoolAndStreamAnswer) {
  Route pool = test_route(
      Method::kGet, "/pool", [](const Request&) { return Response::text(200, "pool"); },
      RunOn::kPool);
  Route stream =
      test_stream(Method::kGet, "/stream",
                  [](const Request&, BodyReader&, ResponseWriter& writer) -> asio::awaitable<void> {
                    co_await writer.start(200, {});
                    for (int i = 0; i < 50; ++i) co_await writer.write(std::string(10'000, 's'));
                  });
  TestServer server({std::move(pool), std::move(stream)}, {.tls = context_.get()});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(send(server, {.url = "/stream"}).body.size(), 500'000u);
    EXPECT_EQ(send(server, {.url = "/pool"}).body, "pool");
  }
}

TEST_F(ServerTls, ClientThatGoesAwayEndsAStream) {
  std::binary_semaphore ended(0);
  TestServer server({test_stream(Method::kGet, "/",
                                 [&](const Request&, BodyReader&,
                                     ResponseWriter& writer) -> asio::awaitable<void> {
                                   co_await writer.start(200, {});
                                   EXPECT_FALSE(co_await writer.sleep(std::chrono::hours(1)));
                                   ended.release();
                                 })},
                    {.tls = context_.get()});
  {
    auto stream = loop_.run(client_->open({.url = "https://" + server.address() + "/"}));
    ASSERT_TRUE(stream) << stream.error().message;
    EXPECT_EQ((*stream)->status(), 200);
  }
  EXPECT_TRUE(ended.try_acquire_for(std::chrono::seconds(10)));
}

TEST_F(ServerTls, SlowHeadIsToldSo) {
  SimulatedClock clock;
  ServerLimits limits;
  limits.idle_timeout = std::chrono::hours(24 * 365);
  TestServer server({hello_route()}, {.limits = limits, .clock = &clock, .tls = context_.get()});
  asio::ip::tcp::socket socket(loop_.io());
  const std::string port = server.address().substr(server.address().rfind(':') + 1);
  const auto exchange = [&]() -> asio::awaitable<std::string> {
    socket.connect({asio::ip::address_v4::loopback(), static_cast<uint16_t>(std::stoi(port))});
    asio::ssl::context context(asio::ssl::context::tls_client);
    asio::ssl::stream<asio::ip::tcp::socket&> stream(socket, context);
    co_await stream.async_handshake(asio::ssl::stream_base::client, kTestAwait);
    const std::string half = "GET /hello HTTP/1.1\r\nHost:";
    co_await asio::async_write(stream, asio::buffer(half), kTestAwait);
    std::thread time([&] {
      EXPECT_TRUE(eventually([&] {
        clock.advance_ms(10'001);
        return server.metric("binnacle_http_refusals_total", {{"reason", "too_slow"}}) == 1;
      }));
    });
    char answer[4096];
    const auto [error, size] = co_await stream.async_read_some(asio::buffer(answer), kTestAwait);
    time.join();
    co_return error ? error.message() : std::string(answer, size);
  };
  EXPECT_TRUE(loop_.run(exchange()).starts_with("HTTP/1.1 408 "));
}

TEST_F(ServerTls, PlainTextOnTheTlsPortIsClosedAndCounted) {
  TestServer server({hello_route()}, {.tls = context_.get()});
  RawClient client(server.address());
  client.send("GET /hello HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.read_to_end().find("HTTP/1.1 200"), std::string::npos);
  EXPECT_TRUE(eventually([&] {
    return server.metric("binnacle_http_refusals_total", {{"reason", "handshake"}}) == 1;
  }));
}

}  // namespace
}  // namespace binnacle::net
