// The parts of the host collector on Linux. Each factory makes one part; what it reads and emits
// stands in the file of its name. Names, labels, units and types are those of node_exporter 1.5.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "collect/host/host_options.h"
#include "collect/host/linux/mount_probe.h"
#include "collect/host/linux/name_filter.h"
#include "collect/host/linux/systemd_bus.h"
#include "collect/host/part.h"
#include "collect/host/process_options.h"

namespace binnacle::collect::host {

// Where to read: the file system must outlive the parts, the paths are copied by those that keep
// them.
struct Source {
  FileSystem& files;
  std::string proc_path;
  std::string sys_path;
  std::string rootfs_path;  // no slash at its end; empty for "/"

  std::string proc(std::string_view name) const { return join(proc_path, name); }
  std::string sys(std::string_view name) const { return join(sys_path, name); }
  std::string root(std::string_view name) const { return join(rootfs_path, name); }

 private:
  static std::string join(const std::string& folder, std::string_view name) {
    std::string path = folder;
    path += '/';
    path += name;
    return path;
  }
};

Source make_source(FileSystem& files, const HostOptions& options);

// All of them. kInvalidArgument for a bad pattern in the options.
Result<Parts> linux_parts(const HostOptions& options, FileSystem& files, const Clock& clock);

// Every tick.
std::unique_ptr<Part> stat_part(const Source& source);
std::unique_ptr<Part> meminfo_part(const Source& source);
std::unique_ptr<Part> loadavg_part(const Source& source);
std::unique_ptr<Part> diskstats_part(const Source& source, NameFilter exclude);
std::unique_ptr<Part> netdev_part(const Source& source, NameFilter exclude);
std::unique_ptr<Part> netstat_part(const Source& source);
std::unique_ptr<Part> sockstat_part(const Source& source);
std::unique_ptr<Part> pressure_part(const Source& source);
std::unique_ptr<Part> filefd_part(const Source& source);
std::unique_ptr<Part> vmstat_part(const Source& source);
std::unique_ptr<Part> time_part(const Clock& clock);

// Now and then.
std::unique_ptr<Part> entropy_part(const Source& source);
std::unique_ptr<Part> conntrack_part(const Source& source);
std::unique_ptr<Part> disk_info_part(const Source& source, NameFilter exclude);
std::unique_ptr<Part> netclass_part(const Source& source);
std::unique_ptr<Part> nohandler_part(const Source& source, NameFilter exclude);
std::unique_ptr<Part> filesystem_part(const Source& source, NameFilter mount_exclude,
                                      NameFilter type_exclude, std::unique_ptr<MountProbe> probe);
// With more processes than `max_read` it tells only how many processes and threads there are.
std::unique_ptr<Part> processes_part(const Source& source, size_t max_read = 4096);
// Groups of processes: what changes every second, and, now and then, which processes there are.
// kInvalidArgument for a bad pattern.
Result<Parts> process_group_parts(const Source& source, const ProcessOptions& options);
std::unique_ptr<Part> systemd_part(std::unique_ptr<SystemdBus> bus, NameFilter include,
                                   NameFilter exclude, size_t max_units);
std::unique_ptr<Part> textfile_part(FileSystem& files, const TextfileOptions& options);
std::unique_ptr<Part> hwmon_part(const Source& source);
std::unique_ptr<Part> thermal_zone_part(const Source& source);
std::unique_ptr<Part> cpufreq_part(const Source& source);
std::unique_ptr<Part> uname_part();
std::unique_ptr<Part> os_release_part(const Source& source);

}  // namespace binnacle::collect::host
