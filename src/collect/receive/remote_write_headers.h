// Which bodies the remote-write route takes, by their headers. Missing headers pass, as they do in
// Prometheus: the first senders had none. X-Prometheus-Remote-Write-Version is not looked at, since
// the Content-Type says it all.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "net/http.h"

namespace binnacle::collect::receive {

enum class RemoteWriteVersion : uint8_t { k1, k2 };

// The error says what is supported; its answer is 415.
Result<RemoteWriteVersion> check_remote_write_headers(const net::Request& request);

}  // namespace binnacle::collect::receive
