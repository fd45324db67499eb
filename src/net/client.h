// The HTTP/1.1 client: a pool of kept connections per host, a deadline on every exchange, TLS
// verification on by default, names resolved again for each new connection (all addresses tried),
// http_proxy, https_proxy and no_proxy of the environment honoured. Any thread may start an
// exchange; it runs on the calling coroutine's executor. A Client must outlive its exchanges and
// die before the IoThreads that they ran on.
#pragma once

#include "base/error.h"
#include "base/instruments.h"
#include "net/http.h"
#include "net/io_threads.h"
#include "net/peer_certificate.h"
#include "net/tls.h"
#include "net/websocket.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace binnacle::net {

struct Url {
  std::string scheme;  // "http", "https", "ws", "wss"
  std::string host;    // without brackets
  uint16_t port = 0;
  std::string target = "/";  // path and query
  std::string user, password;
  static Result<Url> parse(std::string_view text);
  std::string authority() const;  // host:port, brackets round IPv6, default port left out
};

struct ClientOptions {
  size_t max_idle_per_host = 8;
  size_t max_connections_per_host = 256;  // in use at once; kResourceExhausted beyond
  std::chrono::milliseconds idle_timeout{60'000};
  std::chrono::milliseconds connect_timeout{5'000};  // name resolution, TCP and TLS together
  size_t max_header_bytes = 64 * 1024;
  TlsClientOptions tls;
  std::string unix_socket;  // not empty: connect there whatever the URL's host
  bool proxy_from_environment = true;
  std::string proxy_url;  // not empty: this one, whatever the environment says
  std::string no_proxy;   // what goes straight although there is a proxy_url
};

struct ClientRequest {
  Method method = Method::kGet;
  std::string url;
  // Host, Content-Length, Accept-Encoding and User-Agent are filled in when absent.
  Headers headers;
  std::string body;
  std::chrono::milliseconds timeout{30'000};  // of the whole exchange; of the headers when streamed
  // After decoding; kResourceExhausted beyond. A stream that never ends asks for SIZE_MAX.
  size_t max_body_bytes = size_t{64} << 20;
  int max_redirects = 0;  // 0: a redirect is the response
  // Sent like `headers`, but to the URL's own origin alone: a redirect elsewhere loses them.
  Headers origin_headers = {};
};

// A response whose body is read as it comes. Destroying it early closes the connection.
class ClientStream {
 public:
  virtual ~ClientStream() = default;
  virtual int status() const = 0;
  virtual const Headers& headers() const = 0;
  // Of the server that answered; ask before the body is read. nullopt: no TLS.
  virtual std::optional<PeerCertificate> certificate() = 0;
  // Next piece (content coding removed), valid until the next call; empty at the end.
  // kDeadlineExceeded when nothing came for `idle`.
  virtual boost::asio::awaitable<Result<std::string_view>> read(std::chrono::milliseconds idle) = 0;
};

class Client {
 public:
  Client(ClientOptions options, FileSystem& files);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Errors: kUnavailable (refused, reset, name unknown), kDeadlineExceeded, kUnauthenticated (TLS
  // verification), kInvalidArgument (URL, header), kDataLoss (a response cut short),
  // kResourceExhausted (a limit). Any status, 500 included, is a Response. A kept connection found
  // closed before any answer byte is retried once on a fresh one where doing it twice does no harm:
  // for all methods but POST and PATCH, and for these with an Idempotency-Key header. (A connection
  // that is closed already when the request begins is never used.)
  boost::asio::awaitable<Result<Response>> send(ClientRequest request);
  boost::asio::awaitable<Result<std::unique_ptr<ClientStream>>> open(ClientRequest request);
  // ws:// or wss://.
  boost::asio::awaitable<Result<std::unique_ptr<WebSocket>>> connect_websocket(
      ClientRequest request, WebSocketLimits limits);

  // For threads that are not I/O threads: runs send() on `io` and waits.
  Result<Response> send_blocking(IoThreads& io, ClientRequest request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::net
