// Where to listen: "host:port", "[::1]:port", ":port" (all addresses) or "unix:/path".
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace binnacle::net {

struct ListenAddress {
  std::string host;  // without brackets; empty: all addresses
  uint16_t port = 0;
  std::string unix_path;  // not empty: a Unix socket

  static Result<ListenAddress> parse(std::string_view text);
};

// Whether only this machine reaches it: "127.0.0.1:80", "localhost:80", "unix:/path".
bool is_loopback_address(std::string_view listen_address);

std::string format_host_port(std::string_view host, uint16_t port);  // brackets round IPv6

}  // namespace binnacle::net
