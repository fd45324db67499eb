// Who holds a TCP port on this machine, for the error message that says so. Linux only, by /proc.
#pragma once

#include <cstdint>
#include <string>

namespace binnacle::net {

// "prometheus (pid 123)"; empty when /proc does not tell, as for other users' processes.
std::string port_owner(uint16_t port);

}  // namespace binnacle::net
