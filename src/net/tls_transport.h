// TLS over TCP as a Transport. tls_transport.cc is the only file that instantiates TLS
// streams. A handshake that does not end in time closes the socket.
#pragma once

#include "base/error.h"
#include "net/deadline.h"
#include "net/transport.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace boost::asio::ssl {
class context;
}

namespace binnacle::net {

struct AcceptedTls {
  std::unique_ptr<Transport> transport;
  std::string client_subject;  // RFC 2253, of a verified client certificate; empty: none
};

// kDeadlineExceeded, or kUnauthenticated with what OpenSSL says of the peer's handshake or
// certificate.
boost::asio::awaitable<Result<AcceptedTls>> accept_tls(
    boost::asio::ip::tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> context,
    std::chrono::milliseconds timeout);

struct TlsPeer {
  std::string server_name;  // sent as SNI unless it is an address; the certificate must name it
  bool verify = true;
};

// kUnauthenticated when the peer's certificate does not verify or names another host. Sets the
// action of `deadline` and takes it back.
boost::asio::awaitable<Result<std::unique_ptr<Transport>>> connect_tls(
    boost::asio::ip::tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> context,
    TlsPeer peer, Deadline& deadline);

}  // namespace binnacle::net
