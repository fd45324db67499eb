// Connections that may be heard some milliseconds late are read in turns: all of an I/O thread
// share one wake-up every kReadTurn instead of one for each small message, which costs more than
// the message itself. They leave Asio's reactor for an epoll set of their own, so that other
// connections of the thread are served as before; what is written goes at once. The kernel's time
// of arrival tells what the wait has added.
#pragma once

#include "net/transport.h"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>

namespace binnacle::net {

inline constexpr std::chrono::milliseconds kReadTurn{20};

// `transport` over a TCP socket of `context` comes back as one that is read in turns, any other as
// it is. Nothing is under way on it. On the context's thread, which alone may use it.
std::unique_ptr<Transport> gather_reads(std::unique_ptr<Transport> transport,
                                        boost::asio::io_context& context);

}  // namespace binnacle::net
