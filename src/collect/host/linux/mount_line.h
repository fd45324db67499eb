// A line of /proc/<pid>/mounts: device, mount point, type, options; fstab(5).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace binnacle::collect::host {

struct MountLine {
  std::string device;
  std::string mount_point;
  std::string type;
  bool read_only = false;

  friend auto operator<=>(const MountLine&, const MountLine&) = default;
};

// Nothing when fields are missing. Octal escapes (\040 for a space) are undone.
std::optional<MountLine> parse_mount_line(std::string_view line);

}  // namespace binnacle::collect::host
