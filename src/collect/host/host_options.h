// What the host collector reads, how often, and what it leaves out. The patterns are RE2 and stand
// as Debian's node_exporter has them; a value that matches an `_exclude` is not collected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "collect/host/process_options.h"

namespace binnacle::collect::host {

// Patterns take whole names of units, as node_exporter's do.
struct SystemdOptions {
  bool enabled = true;
  std::string unit_include = ".+";
  std::string unit_exclude = R"(.+\.(automount|device|mount|scope|slice))";
  size_t max_units = 2048;
};

struct TextfileOptions {
  std::string folder;  // empty: none is read
  size_t max_files = 256;
  size_t max_file_bytes = size_t{4} << 20;
};

struct HostOptions {
  int64_t interval_ms = 1000;
  std::string proc_path = "/proc";
  std::string sys_path = "/sys";
  std::string rootfs_path = "/";  // where the host's root is mounted, for an agent in a container

  int64_t statfs_wait_ms = 200;    // how long one run waits for all file systems to answer
  int64_t statfs_stuck_ms = 5000;  // after that long without an answer a mount counts as broken
  size_t max_series = 20'000;      // further series are refused and counted

  std::string disk_exclude = R"(^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$)";
  std::string network_exclude = "^lo$";
  std::string mount_exclude =
      "^/(dev|proc|run|sys|mnt|media|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)";
  std::string file_system_exclude =
      "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|"
      "iso9660|"
      "mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|"
      "tracefs)$";

  ProcessOptions processes;
  TextfileOptions textfile;
  SystemdOptions systemd;
};

}  // namespace binnacle::collect::host
