// What streamed handlers read from and write to. Awaiting a write is the back-pressure: it returns
// when the kernel has taken the bytes, so a handler never holds more than what it hands in.
#pragma once

#include "base/error.h"
#include "net/http.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string_view>

namespace binnacle::net {

class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // The next piece, content coding removed, valid until the next call; empty at the end.
  // kCancelled when the client went away, kResourceExhausted beyond the route's body limit.
  virtual boost::asio::awaitable<Result<std::string_view>> read() = 0;
};

class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;
  // A whole answer at once. Nothing may have been sent before.
  virtual boost::asio::awaitable<Status> send(Response response) = 0;
  // Status line and headers of a streamed answer: chunked (or until close for HTTP/1.0). Call once.
  virtual boost::asio::awaitable<Status> start(int status, Headers headers) = 0;
  // A piece of the body; on the wire when it returns. kCancelled when the client went away.
  virtual boost::asio::awaitable<Status> write(std::string_view piece) = 0;
  virtual bool started() const = 0;
  // True once the peer closed or the server drains: long streams look now and then and end.
  virtual bool cancelled() const = 0;
  // False when cancelled before the time was over.
  virtual boost::asio::awaitable<bool> sleep(std::chrono::milliseconds time) = 0;
};

// Server-sent events over a ResponseWriter. start() sends the headers.
class EventStream {
 public:
  explicit EventStream(ResponseWriter& writer) : writer_(writer) {}
  boost::asio::awaitable<Status> start(Headers headers = {});
  // `data` may hold newlines. Empty `event` and `id` are left out.
  boost::asio::awaitable<Status> send(std::string_view data, std::string_view event = {},
                                      std::string_view id = {});
  boost::asio::awaitable<Status> keep_alive();  // a comment line

 private:
  ResponseWriter& writer_;
};

}  // namespace binnacle::net
