// What the certificate of the other end of a TLS connection says. A plain value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace binnacle::net {

struct PeerCertificate {
  std::string subject;             // RFC 2253: "CN=example.org,O=Example"
  std::string issuer;              // likewise
  std::vector<std::string> names;  // host names and addresses that it is for, 100 at most
  int64_t not_before_ms = 0;       // wall time
  int64_t not_after_ms = 0;
};

}  // namespace binnacle::net
