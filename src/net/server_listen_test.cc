// Addresses, taken ports, Unix sockets, and the end of a server.
#include "base/log.h"
#include "net/server_test_client.h"
#include "net/stream_handler.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <semaphore>
#include <thread>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// What a Server needs, without one.
struct Parts {
  IoThreads io{1};
  Router router;
  ThreadPool pool{"test", 1, 1};
  Registry registry;
  SystemClock clock;
  Server server{io, router, nullptr, pool, registry, clock, {}};
};

Status listen(Server& server, std::string address) {
  ListenerOptions options;
  options.address = std::move(address);
  return server.listen(options);
}

TEST(ServerListen, TakenPortNamesTheAddressAndItsHolder) {
  Parts first, second;
  ASSERT_TRUE(listen(first.server, "127.0.0.1:0"));
  const std::string taken = first.server.addresses().front();
  const Status status = listen(second.server, taken);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kFailedPrecondition);
  EXPECT_NE(status.error().message.find(taken), std::string::npos) << status.error().message;
  EXPECT_NE(status.error().message.find("(pid " + std::to_string(::getpid()) + ")"),
            std::string::npos)
      << status.error().message;
}

TEST(ServerListen, SeveralListenersTellTheirRealPorts) {
  Parts parts;
  ASSERT_TRUE(listen(parts.server, "127.0.0.1:0"));
  ASSERT_TRUE(listen(parts.server, "localhost:0"));
  ASSERT_TRUE(listen(parts.server, ":0"));
  const auto addresses = parts.server.addresses();
  ASSERT_EQ(addresses.size(), 3u);
  for (const std::string& address : addresses) EXPECT_FALSE(address.ends_with(":0")) << address;
}

TEST(ServerListen, AllAddressesShowIPv4PeersAsIPv4) {
  TestServer server(
      {test_route(Method::kGet, "/peer",
                  [](const Request& request) {
                    return Response::text(
                        200, request.connection->peer_address + " " + request.connection->listener);
                  })},
      {.address = ":0"});
  RawClient client(server.address());
  EXPECT_EQ(client.get("/peer").body, "127.0.0.1 " + server.address());
}

TEST(ServerListen, BadAddressesAreRefused) {
  Parts parts;
  for (const char* address : {"", "nonsense", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000",
                              "[::1:80", "::1:80", "unix:"}) {
    const Status status = listen(parts.server, address);
    ASSERT_FALSE(status) << address;
    EXPECT_EQ(status.error().code, Code::kInvalidArgument) << address;
  }
  EXPECT_EQ(listen(parts.server, "no-such-host.invalid:80").error().code, Code::kInvalidArgument);
}

class ServerUnixSocket : public testing::Test {
 protected:
  ServerUnixSocket() {
    std::string pattern = testing::TempDir() + "binnacle-net-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ + "/s";
  }
  ~ServerUnixSocket() override { std::filesystem::remove_all(folder_); }
  std::string folder_, path_;
};

TEST_F(ServerUnixSocket, ServesWithMode0660AndIsRemovedAtTheEnd) {
  {
    TestServer server({test_route(Method::kGet, "/",
                                  [](const Request& request) {
                                    return Response::text(200, request.connection->peer_address);
                                  })},
                      {.address = "unix:" + path_});
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0660u);
    RawClient client(server.address());
    EXPECT_EQ(client.get("/").body, "unix");
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ServerUnixSocket, StaleSocketFileIsReplacedALiveOneIsNot) {
  {
    asio::io_context context;
    asio::local::stream_protocol::acceptor dead(context,
                                                asio::local::stream_protocol::endpoint(path_));
  }
  ASSERT_TRUE(std::filesystem::exists(path_));
  TestServer server({hello_route()}, {.address = "unix:" + path_});
  Parts second;
  const Status status = listen(second.server, "unix:" + path_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kFailedPrecondition);
  EXPECT_EQ(RawClient(server.address()).get("/hello").status, 200);
}

TEST_F(ServerUnixSocket, AFileThatIsNoSocketIsLeftAlone) {
  std::ofstream(path_) << "precious";
  Parts parts;
  EXPECT_EQ(listen(parts.server, "unix:" + path_).error().code, Code::kFailedPrecondition);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST(ServerStop, EndsIdleConnectionsAtOnce) {
  TestServer server({hello_route()});
  RawClient used(server.address()), fresh(server.address());
  EXPECT_EQ(used.get("/hello").status, 200);
  ASSERT_TRUE(eventually([&] {
    return server.metric("binnacle_http_connections", {{"listener", server.address()}}) == 2;
  }));
  server.server().stop(std::chrono::hours(1));
  EXPECT_TRUE(server.server().draining());
  EXPECT_TRUE(used.at_end());
  EXPECT_TRUE(fresh.at_end());
  EXPECT_THROW(RawClient(server.address()), std::runtime_error);
}

TEST(ServerStop, LetsARequestInFlightEnd) {
  std::binary_semaphore entered(0), leave(0);
  TestServer server({test_route(
      Method::kGet, "/",
      [&](const Request&) {
        entered.release();
        leave.acquire();
        return Response::text(200, "finished");
      },
      RunOn::kPool)});
  RawClient client(server.address());
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  entered.acquire();
  std::thread stopper([&] { server.server().stop(std::chrono::hours(1)); });
  ASSERT_TRUE(eventually([&] { return server.server().draining(); }));
  leave.release();
  EXPECT_EQ(client.read_response().body, "finished");
  EXPECT_TRUE(client.at_end());
  stopper.join();
}

TEST(ServerStop, TellsStreamsToEnd) {
  std::atomic<bool> woken = false;
  TestServer server({test_stream(
      Method::kGet, "/",
      [&](const Request&, BodyReader&, ResponseWriter& writer) -> asio::awaitable<void> {
        co_await writer.start(200, {});
        co_await writer.write("begun");
        while (co_await writer.sleep(std::chrono::hours(1))) {
        }
        woken = true;
        co_await writer.write("bye");
      })});
  RawClient client(server.address());
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  client.read_until("begun");
  server.server().stop(std::chrono::hours(1));
  EXPECT_TRUE(woken);
  EXPECT_TRUE(client.read_to_end().ends_with("3\r\nbye\r\n0\r\n\r\n"));
}

TEST(ServerStop, CutsWhatOutlastsTheGrace) {
  TestServer server({test_stream(
      Method::kGet, "/",
      [](const Request&, BodyReader&, ResponseWriter& writer) -> asio::awaitable<void> {
        co_await writer.start(200, {});
        while (co_await writer.write(std::string(10'000, 'x'))) {
        }
      })});
  RawClient client(server.address());
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  client.read_until("xxx");
  server.server().stop(milliseconds(20));
  EXPECT_FALSE(client.read_to_end().ends_with("0\r\n\r\n"));
}

TEST(ServerStop, ServerThatNeverStartedFreesItsPort) {
  std::string address;
  {
    Parts parts;
    ASSERT_TRUE(listen(parts.server, "127.0.0.1:0"));
    address = parts.server.addresses().front();
  }
  Parts next;
  EXPECT_TRUE(listen(next.server, address));
}

TEST(ServerAccessLog, CanBeTurnedOnWhileRunning) {
  TestServer server({hello_route()});
  RawClient client(server.address());
  LogCapture log;
  client.get("/hello");
  EXPECT_TRUE(log.lines().empty());
  server.server().set_access_log(true);
  client.get("/hello?x=1", "User-Agent: tester\r\nX-Request-Id: id-7\r\n");
  const auto lines = log.lines();
  ASSERT_EQ(lines.size(), 1u);
  for (const char* part : {"access", "GET", "/hello?x=1", "tester", "id-7", "200"})
    EXPECT_NE(lines[0].find(part), std::string::npos) << part << " in " << lines[0];
}

TEST(ServerAccessLog, ATokenInThePathIsNotWritten) {
  Route once = hello_route();
  once.pattern = "/login/{token}";
  once.secret_target = true;
  TestServer server({std::move(once)});
  server.server().set_access_log(true);
  RawClient client(server.address());
  LogCapture log;
  EXPECT_EQ(client.get("/login/s3cret").status, 200);
  const auto lines = log.lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].find("s3cret"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("/login/{token}"), std::string::npos) << lines[0];
}

}  // namespace
}  // namespace binnacle::net
