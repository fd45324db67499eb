// systemd's manager over the system bus, by sd-bus of libsystemd, loaded while running: machines
// without systemd have neither. Every call has a deadline. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace binnacle::collect::host {

struct SystemdUnit {
  std::string name;        // "ssh.service"
  std::string load_state;  // "loaded"
  std::string state;       // "active"
  std::string object;      // its path on the bus
};

class SystemdBus {
 public:
  virtual ~SystemdBus() = default;
  // At most `max_units`.
  virtual Result<std::vector<SystemdUnit>> units(size_t max_units) = 0;
  // Of the object at that path; `interface` is the last part of its name: "Manager", "Service".
  virtual Result<std::string> text(const std::string& object, std::string_view interface,
                                   const char* property) = 0;
  // `type`: 'u' or 't' of D-Bus.
  virtual Result<double> number(const std::string& object, std::string_view interface,
                                const char* property, char type) = 0;
};

inline constexpr const char* kSystemdManager = "/org/freedesktop/systemd1";

// Connects at the first question, and anew after a failure.
std::unique_ptr<SystemdBus> system_bus();

}  // namespace binnacle::collect::host
