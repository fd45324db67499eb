// Transports over bare sockets. Reads are the socket's own operation, writes are first tried at
// once, so that an exchange on a warm connection costs one coroutine frame for each direction.
#pragma once

#include "net/transport.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <memory>

namespace binnacle::net {

// Sets TCP_NODELAY and non-blocking mode.
std::unique_ptr<Transport> make_tcp_transport(boost::asio::ip::tcp::socket socket);
std::unique_ptr<Transport> make_unix_transport(boost::asio::local::stream_protocol::socket socket);

}  // namespace binnacle::net
