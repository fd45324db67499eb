// Asks the name servers of the system (resolv.conf, with its search domains) for the records of a
// name, by c-ares: for records that the system's resolver does not hand out. Any thread.
#pragma once

#include "base/error.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace binnacle::net {

enum class DnsType : uint8_t { kA, kAaaa, kSrv, kMx, kNs };

struct DnsRecord {
  std::string value;  // an address, or a name without the dot at its end
  uint16_t port = 0;  // of SRV
};

struct DnsOptions {
  std::string servers;     // "127.0.0.1:5353,..."; empty: those of the system
  int timeout_ms = 2'000;  // of the first try with each server; later ones take longer
  int tries = 2;
};

// Blocks for some seconds at most: call it on a ThreadPool. A name that does not exist or has no
// such record gives no records; kUnavailable when no server said either.
Result<std::vector<DnsRecord>> query_dns(const std::string& name, DnsType type,
                                         const DnsOptions& options = {});

// The same without a thread that waits: on the calling coroutine's executor. kDeadlineExceeded
// after `limit`, whatever the options say.
boost::asio::awaitable<Result<std::vector<DnsRecord>>> ask_dns(std::string name, DnsType type,
                                                               DnsOptions options,
                                                               std::chrono::milliseconds limit);

// kInvalidArgument: `servers` is no such list.
Status check_dns_servers(const std::string& servers);

}  // namespace binnacle::net
