// A process of this machine that listens on TCP ports, as an operating system's collector tells it
// and the search for engines takes it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace binnacle::model {

struct LocalProcess {
  int64_t pid = 0;              // 0: not known, as of another user's sockets
  std::string name;             // "python3"; may be cut short by the system
  std::string command_line;     // arguments with single spaces between
  std::vector<uint16_t> ports;  // on any address, rising, each once
};

}  // namespace binnacle::model
