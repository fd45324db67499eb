#include "collect/host/linux/parts.h"

#include <algorithm>
#include <iterator>

namespace binnacle::collect::host {
namespace {

std::string without_slash_at_end(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  return path;
}

// A pattern for names as a whole; an empty one matches nothing.
std::string whole(const std::string& pattern) {
  return pattern.empty() ? pattern : "^(?:" + pattern + ")$";
}

// As sd_booted(3) tells.
bool systemd_runs(const Source& source) {
  return source.files.exists(source.root("run/systemd/system"));
}

}  // namespace

Source make_source(FileSystem& files, const HostOptions& options) {
  return {files, without_slash_at_end(options.proc_path), without_slash_at_end(options.sys_path),
          without_slash_at_end(options.rootfs_path)};
}

Result<Parts> linux_parts(const HostOptions& options, FileSystem& files, const Clock& clock) {
  const Source source = make_source(files, options);
  Parts parts;
  TRY_ASSIGN(NameFilter disks, NameFilter::create(options.disk_exclude));
  parts.push_back(diskstats_part(source, std::move(disks)));
  TRY_ASSIGN(NameFilter info_disks, NameFilter::create(options.disk_exclude));
  parts.push_back(disk_info_part(source, std::move(info_disks)));
  TRY_ASSIGN(NameFilter devices, NameFilter::create(options.network_exclude));
  parts.push_back(netdev_part(source, std::move(devices)));
  TRY_ASSIGN(NameFilter nohandler_devices, NameFilter::create(options.network_exclude));
  parts.push_back(nohandler_part(source, std::move(nohandler_devices)));
  TRY_ASSIGN(NameFilter mounts, NameFilter::create(options.mount_exclude));
  TRY_ASSIGN(NameFilter types, NameFilter::create(options.file_system_exclude));
  parts.push_back(filesystem_part(
      source, std::move(mounts), std::move(types),
      std::make_unique<MountProbe>(MountProbe::Options{.wait_ms = options.statfs_wait_ms,
                                                       .stuck_ms = options.statfs_stuck_ms},
                                   clock, ask_statfs)));

  parts.push_back(stat_part(source));
  parts.push_back(meminfo_part(source));
  parts.push_back(loadavg_part(source));
  parts.push_back(netstat_part(source));
  parts.push_back(sockstat_part(source));
  parts.push_back(pressure_part(source));
  parts.push_back(filefd_part(source));
  parts.push_back(vmstat_part(source));
  parts.push_back(time_part(clock));
  parts.push_back(entropy_part(source));
  parts.push_back(conntrack_part(source));
  parts.push_back(netclass_part(source));
  parts.push_back(processes_part(source));
  parts.push_back(hwmon_part(source));
  parts.push_back(thermal_zone_part(source));
  parts.push_back(cpufreq_part(source));
  parts.push_back(uname_part());
  parts.push_back(os_release_part(source));
  if (options.systemd.enabled && systemd_runs(source)) {
    TRY_ASSIGN(NameFilter include, NameFilter::create(whole(options.systemd.unit_include)));
    TRY_ASSIGN(NameFilter exclude, NameFilter::create(whole(options.systemd.unit_exclude)));
    parts.push_back(systemd_part(system_bus(), std::move(include), std::move(exclude),
                                 options.systemd.max_units));
  }
  if (!options.textfile.folder.empty()) parts.push_back(textfile_part(files, options.textfile));
  if (options.processes.enabled) {
    TRY_ASSIGN(Parts groups, process_group_parts(source, options.processes));
    std::ranges::move(groups, std::back_inserter(parts));
  }
  return parts;
}

}  // namespace binnacle::collect::host
