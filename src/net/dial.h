// From a name to a connected Transport: resolve, try each address, go through a proxy, agree on
// TLS. Runs on the calling coroutine's executor; ends in time whatever the network or the name
// server does.
#pragma once

#include "base/error.h"
#include "net/deadline.h"
#include "net/tls.h"
#include "net/transport.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace binnacle::net {

struct HostPort {
  std::string host;
  uint16_t port = 0;
};

// host:port or [v6]:port; kInvalidArgument names the text.
Result<HostPort> parse_host_port(const std::string& address);

// All addresses of a name, for libraries that would block on it. kUnavailable, kDeadlineExceeded
// when `deadline` is over; its action is set and taken back.
boost::asio::awaitable<Result<std::vector<std::string>>> resolve_addresses(const std::string& host,
                                                                           Deadline& deadline);

struct DialPlan {
  HostPort connect_to;
  std::string unix_socket;  // not empty: connect there instead
  std::string
      tunnel_request;  // not empty: a CONNECT request that a proxy must answer with 2xx first
  TlsClientContext* tls = nullptr;  // null: plain
  std::string server_name;          // of TLS
};

// kDeadlineExceeded after `timeout` or when `outer` is over; its action is set and taken back.
boost::asio::awaitable<Result<std::unique_ptr<Transport>>> dial(const DialPlan& plan,
                                                                std::chrono::milliseconds timeout,
                                                                Deadline& outer);

}  // namespace binnacle::net
