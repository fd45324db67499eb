// A process and all that descend from it: whether one of them is stopped, and how much they
// compute. Reads /proc anew each time, some milliseconds of it on a full machine. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"

namespace binnacle::collect::host {

struct FamilyView {
  std::vector<int64_t> pids;           // none: the process is gone
  std::optional<int64_t> stopped_pid;  // stopped by a signal or a debugger
  double cpu_seconds = 0;              // that those who live now have used
};

// `proc_path`: "/proc".
Result<FamilyView> look_at_family(FileSystem& files, const std::string& proc_path, int64_t pid);

}  // namespace binnacle::collect::host
