// Transports over bare sockets. Reads are the socket's own operation, writes are first tried at
// once, so that an exchange on a warm connection costs one coroutine frame for each direction.
#pragma once

#include "net/transport.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <memory>
#include <optional>

namespace binnacle::net {

// Sets TCP_NODELAY and non-blocking mode.
std::unique_ptr<Transport> make_tcp_transport(boost::asio::ip::tcp::socket socket);
std::unique_ptr<Transport> make_unix_transport(boost::asio::local::stream_protocol::socket socket);

// The socket of a transport that make_tcp_transport() made, for a protocol that changes to TLS
// midway; the transport is of no use any more. nullopt: it is of another kind.
std::optional<boost::asio::ip::tcp::socket> take_tcp_socket(Transport& transport);

}  // namespace binnacle::net
