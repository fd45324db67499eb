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

std::string format_host_port(std::string_view host, uint16_t port);  // brackets round IPv6

}  // namespace binnacle::net
