// Which Host and Origin headers are ours. A page of another site that makes a browser call this
// server (DNS rebinding, cross-site requests) shows by them. Pure functions of text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace binnacle::store::access {

// "Example.org:8080" -> "example.org", "[::1]:80" -> "::1"; "" when it is no authority.
std::string host_name(std::string_view authority);

// Loopback names, the listener's own host, and `allowed` (names, with or without a port) are ours.
// A listener on all addresses (0.0.0.0, [::]) also takes any IP literal: rebinding needs a name.
// Ports are not compared: a tunnel may change them. An absent Host (HTTP/1.0) is let through:
// browsers always send one.
bool host_is_ours(std::string_view host_header, std::string_view listener,
                  const std::vector<std::string>& allowed);

// The Origin's authority equals the Host header, or its host is in `allowed`. "null" is foreign.
bool origin_is_ours(std::string_view origin, std::string_view host_header, bool tls,
                    const std::vector<std::string>& allowed);

// One client for the tables of addresses: IPv4 as it is, IPv6 by its /64, which one subscriber
// holds whole.
std::string client_of_address(std::string_view address);

}  // namespace binnacle::store::access
