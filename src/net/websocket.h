// One WebSocket (RFC 6455) with permessage-deflate where the peer offers it. Lives on the I/O
// thread of its connection; one reader at a time. Writers wait for each other.
#pragma once

#include "base/error.h"
#include "net/http.h"
#include "net/transport.h"
#include "net/websocket_handshake.h"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace binnacle::net {

struct WebSocketMessage {
  bool text = true;
  std::string data;         // text is checked to be UTF-8
  int64_t received_ns = 0;  // Unix time at which the kernel had it; 0: about now
};

struct WebSocketLimits {
  size_t max_message_bytes = size_t{1} << 20;  // close code 1009 beyond
  // A client offers permessage-deflate. Each end then holds some tens of KiB for a connection,
  // which small messages are not worth.
  bool offer_compression = true;
  // While somebody reads: pinged after half of it without a byte, dropped after 1 to 1.5 times of
  // it.
  int64_t idle_timeout_ms = 60'000;
  int64_t write_timeout_ms = 10'000;  // a peer that does not read is dropped
  int64_t close_timeout_ms = 2'000;   // for the peer's close frame after ours
};

class WebSocket {
 public:
  virtual ~WebSocket() = default;
  // kCancelled after a close from either side, kInvalidArgument for a broken frame (close
  // 1002/1007), kResourceExhausted for a message over the limit (1009), kDeadlineExceeded for a
  // silent peer, kUnavailable for a connection that broke. Pings are answered while a read is under
  // way, so keep one under way.
  virtual boost::asio::awaitable<Result<WebSocketMessage>> read() = 0;
  virtual boost::asio::awaitable<Status> write_text(std::string_view data) = 0;
  virtual boost::asio::awaitable<Status> write_binary(std::string_view data) = 0;
  // Sends without waiting. False: nothing was sent, since another write is under way, the
  // connection compresses, or the kernel takes nothing now; write_binary() then waits for its turn.
  virtual bool try_write_binary(std::string_view data) = 0;
  // Sends a close frame, waits for the peer's within the close timeout, ends the connection.
  virtual boost::asio::awaitable<void> close(uint16_t code, std::string_view reason) = 0;
  virtual bool closed() const = 0;
  // Reads until the end and tells each message as it comes, which costs less than a read() for
  // each. Stands for read(): its errors, its pings. What `data` names lasts for the call.
  struct MessageView {
    bool text;
    std::string_view data;
    int64_t received_ns;
  };
  virtual boost::asio::awaitable<Error> read_each(std::function<void(const MessageView&)> take) = 0;
};

// Sends the answer and takes the transport over. `read_ahead`: bytes received after the request's
// end. kUnavailable when the answer could not be sent.
boost::asio::awaitable<Result<std::unique_ptr<WebSocket>>> accept_websocket(
    std::unique_ptr<Transport> transport, WebSocketAnswer answer, std::string read_ahead,
    WebSocketLimits limits);
// The client's side of a connection whose upgrade was agreed on.
std::unique_ptr<WebSocket> make_client_websocket(std::unique_ptr<Transport> transport,
                                                 std::optional<DeflateParameters> deflate,
                                                 std::string_view read_ahead,
                                                 WebSocketLimits limits);

}  // namespace binnacle::net
