// One line of /proc/<pid>/stat: proc(5). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace binnacle {

inline constexpr double kTicksPerSecond = 100;  // USER_HZ, part of the kernel's binary interface

struct ProcessStat {
  std::string_view state;  // "S"; points into the text
  int64_t parent = 0;
  double minor_faults = 0;
  double major_faults = 0;
  double user_ticks = 0;
  double system_ticks = 0;
  double threads = 0;
  int64_t start_ticks = 0;  // since boot
  double virtual_bytes = 0;
  double resident_pages = 0;
};

// Nothing when the text ends before the number of threads or that is no number; what kernels have
// after it is 0 when it is missing.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

}  // namespace binnacle
