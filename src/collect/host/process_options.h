// Which processes are told about, by groups. Patterns are RE2 and are looked for anywhere in the
// command line, its arguments joined by blanks; a process belongs to the first group that fits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace binnacle::collect::host {

struct ProcessGroup {
  std::string name;  // the value of the label `groupname`
  std::string pattern;
};

// The inference engines and trainers that Binnacle knows, and Binnacle itself.
std::vector<ProcessGroup> known_process_groups();

struct ProcessOptions {
  bool enabled = true;
  std::vector<ProcessGroup> groups = known_process_groups();
  size_t max_processes =
      1024;  // of all groups together, read every tick; further ones are left out
};

}  // namespace binnacle::collect::host
