// For the server's tests: a server on a free loopback port, and a client that says exactly the
// bytes it is told on a blocking socket. A read that gets nothing for ten seconds throws, so that
// no test hangs.
#pragma once

#include "base/clock.h"
#include "base/instruments.h"
#include "base/thread_pool.h"
#include "net/io_threads.h"
#include "net/router.h"
#include "net/server.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace binnacle::net {

struct RawResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::string header(std::string_view name) const;  // "" when absent
};

class RawClient {
 public:
  explicit RawClient(const std::string& address,
                     int receive_buffer_bytes = 0);  // "127.0.0.1:80", "unix:/path"
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(std::string_view bytes);
  bool try_send(std::string_view bytes);  // false once the server has closed
  void end_sending();
  void reset();  // closes with RST
  RawResponse read_response(bool to_head = false);
  std::string read_some();    // what comes next; "" at the end
  std::string read_to_end();  // a reset counts as the end
  std::string read_until(std::string_view mark);
  bool at_end();    // waits for the server's end; false when bytes come instead
  bool readable();  // bytes or the end are there; does not wait
  // One request on this connection and its answer.
  RawResponse get(std::string_view target, std::string_view extra_headers = {});

 private:
  bool fill();
  std::string take_line();
  std::string take(size_t bytes);

  int fd_;
  std::string buffer_;
};

struct TestServerOptions {
  size_t io_threads = 1;
  size_t pool_threads = 2;
  size_t pool_queue = 64;
  ServerLimits limits;
  Guard* guard = nullptr;
  std::string address = "127.0.0.1:0";
  std::vector<RouteGroup> groups;
  const Clock* clock = nullptr;     // null: the system's
  TlsServerContext* tls = nullptr;  // null: plain
};

class TestServer {
 public:
  TestServer(std::vector<Route> routes, TestServerOptions options = {});
  ~TestServer();

  const std::string& address() const { return address_; }
  Server& server() { return *server_; }
  IoThreads& io() { return io_; }
  ThreadPool& pool() { return pool_; }
  double metric(std::string_view name, InstrumentLabels labels);  // NaN when absent

 private:
  SystemClock system_clock_;
  Registry registry_;
  Router router_;
  IoThreads io_;
  ThreadPool pool_;
  std::unique_ptr<Server> server_;
  std::string address_;
};

// A route of kIoThread unless the limits or `run_on` say otherwise.
Route test_route(Method method, std::string pattern, Handler handler,
                 RunOn run_on = RunOn::kIoThread, RouteLimits limits = {});
Route test_stream(Method method, std::string pattern, StreamHandler handler,
                  RouteLimits limits = {});
Route hello_route();  // GET /hello answers "hello"
Route echo_route();   // POST /echo answers the body

size_t open_descriptors();
// Looks again and again, for at most ten seconds, without a fixed wait.
bool eventually(const std::function<bool()>& condition);

}  // namespace binnacle::net
