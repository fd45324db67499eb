// One request and its response on one connection: writes the request, reads the head, hands out the
// body with its content coding removed, and gives the connection back when the response ended well.
// Destroyed earlier, it closes the connection. Lives on the executor of its transport; the caller
// owns time and closes on expiry.
#pragma once

#include "base/error.h"
#include "net/coding.h"
#include "net/connection_pool.h"
#include "net/http.h"
#include "net/response_parser.h"
#include "net/transport.h"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace binnacle::net {

struct ExchangeLimits {
  size_t max_header_bytes = 0;
  size_t max_body_bytes = 0;  // decoded
};

class Exchange {
 public:
  Exchange(std::unique_ptr<Transport> transport, std::unique_ptr<ConnectionPool::Lease> lease,
           ExchangeLimits limits);

  // Sends and reads up to the end of the response's head. kUnavailable, kDataLoss,
  // kResourceExhausted.
  boost::asio::awaitable<Status> run(std::string_view request_head, std::string_view request_body,
                                     bool is_head);
  // The next piece of the body, decoded, valid until the next call; empty at the end.
  boost::asio::awaitable<Result<std::string_view>> read_body();

  int status() const { return parser_->status(); }
  Headers& headers() { return parser_->headers(); }
  // Until the body has ended; nullopt: no TLS.
  std::optional<PeerCertificate> peer_certificate() {
    return transport_ ? transport_->peer_certificate() : std::nullopt;
  }
  bool any_bytes_received() const { return any_bytes_received_; }
  void close() {
    if (transport_) transport_->close();
  }

  // For another exchange after this one failed, and for a protocol that takes the connection over.
  std::unique_ptr<ConnectionPool::Lease> take_lease() { return std::move(lease_); }
  std::unique_ptr<Transport> take_transport() { return std::move(transport_); }
  std::string take_read_ahead() { return std::move(unused_); }

 private:
  boost::asio::awaitable<Status> read_head(bool is_head);
  boost::asio::awaitable<boost::system::error_code> receive();  // more bytes into unused_
  boost::asio::awaitable<Status> receive_body();  // more content into raw_, or the end
  Status start_decoding(bool is_head);
  Result<std::string_view> decode_piece();
  void finish();

  const ExchangeLimits limits_;  // Fixed after construction

  // Executor only
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<ConnectionPool::Lease> lease_;
  std::unique_ptr<ResponseParser> parser_;
  std::unique_ptr<Decoder> decoder_;  // null: the body is not coded
  bool any_bytes_received_ = false;
  std::string unused_;    // received, not parsed
  std::string raw_;       // content of the body, still coded
  bool raw_fed_ = false;  // raw_ is inside the decoder
  bool any_coded_ = false;
  std::string decoded_;
  size_t body_bytes_ = 0;
};

}  // namespace binnacle::net
