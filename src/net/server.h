// The HTTP/1.1 server: keep-alive, pipelining, chunked and streamed bodies, gzip and zstd coding,
// WebSocket, TLS and mTLS, Unix sockets, limits against slow and greedy clients, graceful drain.
// One coroutine and one I/O thread for each connection. Everything is bounded by ServerLimits and
// the route's RouteLimits.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "base/thread_pool.h"
#include "net/io_threads.h"
#include "net/router.h"
#include "net/tls.h"
#include "net/websocket.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace binnacle::net {

struct ServerLimits {
  size_t max_connections = 10'000;                   // further ones get 503 and are closed
  size_t max_header_bytes = 32 * 1024;               // 431 beyond
  std::chrono::milliseconds header_timeout{10'000};  // first byte to end of headers; 408 beyond
  std::chrono::milliseconds idle_timeout{75'000};    // between requests of a kept connection
  std::chrono::milliseconds write_timeout{30'000};   // without the peer taking a byte
  size_t min_body_bytes_per_second = 240;            // slower senders get 408, after a grace of 5 s
  size_t compress_from_bytes = 1024;                 // smaller answers go uncoded
};

struct ListenerOptions {
  std::string address =
      "127.0.0.1:8080";  // "host:port", "[::1]:port", ":port" or "unix:/path"; port 0 picks
  std::vector<RouteGroup> groups;   // empty: all
  TlsServerContext* tls = nullptr;  // outlives the server; null: plain
};

class Server {
 public:
  // All references outlive the server. `guard` may be null (tests, benches).
  // Registers binnacle_http_requests_total{route,method,status},
  // binnacle_http_request_duration_seconds{route}, binnacle_http_requests_in_flight{route},
  // binnacle_http_connections{listener}, and refusals by reason.
  Server(IoThreads& io, const Router& router, Guard* guard, ThreadPool& pool, Registry& registry,
         const Clock& clock, ServerLimits limits);
  ~Server();  // stop() with no grace
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds at once; kFailedPrecondition for a port in use (names the address). Before start().
  Status listen(const ListenerOptions& options);
  void start();
  // Closes listeners, ends idle connections, lets requests in flight end until `grace`, then cuts
  // the rest.
  void stop(std::chrono::milliseconds grace);

  // What was bound, with real ports: "127.0.0.1:43121". In order of listen().
  std::vector<std::string> addresses() const;
  bool draining() const;
  void set_access_log(bool on);  // JSON lines of component "access"; changeable while running
  void set_limits(const ServerLimits& limits);  // for new requests
  void set_websocket_limits(const WebSocketLimits& limits);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::net
