// A byte stream to a peer: TCP, Unix socket or TLS over either, behind one type, so that the HTTP
// loops and the WebSocket are compiled once. Lives on one I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "net/peer_certificate.h"

namespace binnacle::net {

class Transport {
 public:
  using IoResult = std::tuple<boost::system::error_code, size_t>;

  virtual ~Transport() = default;  // closes
  // At least one byte, or an error (eof included).
  virtual boost::asio::awaitable<IoResult> read_some(boost::asio::mutable_buffer buffer) = 0;
  // All of both buffers, or an error. The second may be empty: header and body in one system call.
  virtual boost::asio::awaitable<IoResult> write(boost::asio::const_buffer first,
                                                 boost::asio::const_buffer second) = 0;
  // What the kernel takes at once, without waiting; would_block when it takes nothing. TLS always
  // would block.
  virtual IoResult try_write(boost::asio::const_buffer, boost::asio::const_buffer) {
    return {boost::asio::error::would_block, 0};
  }
  // Pending operations fail with operation_aborted; the stream stays usable where its kind allows
  // that.
  virtual void cancel() { close(); }
  // Ends both directions politely (TLS close_notify, then FIN), within a second. Reads and drops
  // what the peer still sends in that time, so that the kernel does not reset away an answer which
  // the peer has not read.
  virtual boost::asio::awaitable<void> shutdown() = 0;
  virtual void close() = 0;  // at once; pending operations fail with operation_aborted
  virtual bool is_open() const = 0;
  // Open, and neither bytes nor an end wait to be read: a kept connection that may be used again.
  virtual bool is_quiet() = 0;
  virtual boost::asio::any_io_executor executor() = 0;
  // Unix time at which the kernel took in what was read last; 0: nobody told.
  virtual int64_t received_ns() const { return 0; }
  // After the handshake; nullopt: no TLS, or the peer showed none.
  virtual std::optional<PeerCertificate> peer_certificate() { return std::nullopt; }
};

}  // namespace binnacle::net
