// A line of /proc/diskstats: "254 0 vda 38857 11379 ...". Views point into the line.
#pragma once

#include <optional>
#include <string_view>

#include "collect/host/linux/kernel_text.h"

namespace binnacle::collect::host {

struct DiskLine {
  std::string_view major;
  std::string_view minor;
  std::string_view device;
  std::string_view fields;  // the counters, not looked into
};

inline std::optional<DiskLine> parse_disk_line(std::string_view line) {
  DiskLine disk;
  disk.major = next_field(line);
  disk.minor = next_field(line);
  disk.device = next_field(line);
  disk.fields = line;
  if (!parse_integer(disk.major) || !parse_integer(disk.minor) || disk.device.empty()) {
    return std::nullopt;
  }
  return disk;
}

}  // namespace binnacle::collect::host
