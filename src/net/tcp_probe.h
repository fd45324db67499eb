// Whether a TCP address answers, and how soon: a connection that is made and closed at once.
#pragma once

#include "base/clock.h"
#include "base/error.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>

namespace binnacle::net {

// Nanoseconds until the connection stood, name resolution included. `address` is host:port or
// [v6]:port. Errors: kInvalidArgument (address), kUnavailable (refused, unreachable, name unknown),
// kDeadlineExceeded.
boost::asio::awaitable<Result<int64_t>> probe_tcp(std::string address,
                                                  std::chrono::milliseconds timeout,
                                                  const Clock& clock);

}  // namespace binnacle::net
