#include "watch/health/checks/preset_table.h"

#include <array>

namespace binnacle::watch::health {
namespace {

constexpr PresetPart kDisk[] = {
    {"space",
     "1 - node_filesystem_avail_bytes{fstype!~\"tmpfs|ramfs|squashfs|iso9660|erofs|overlay\",$on} "
     "/ "
     "(node_filesystem_size_bytes{$on} > 0)",
     "ratio", "> 85%", "> 95%"},
    {"inodes",
     "1 - node_filesystem_files_free{fstype!~\"tmpfs|ramfs|squashfs|iso9660|erofs|overlay\",$on} / "
     "(node_filesystem_files{$on} > 0)",
     "ratio", "> 85%", "> 95%"},
    {"read_only", "node_filesystem_readonly{fstype=~\"ext[234]|xfs|btrfs|zfs|f2fs\",$on}", "", "",
     "> 0"},
    {"device_error", "node_filesystem_device_error{$on}", "", "> 0", ""},
};

constexpr PresetPart kMemory[] = {
    {"used", "1 - node_memory_MemAvailable_bytes{$on} / (node_memory_MemTotal_bytes{$on} > 0)",
     "ratio", "> 90%", "> 97%"},
    {"oom_kills", "increase(node_vmstat_oom_kill{$on}[10m])", "", "> 0", ""},
    {"stalled", "rate(node_pressure_memory_stalled_seconds_total{$on}[5m])", "ratio", "> 10%",
     "> 50%"},
};

constexpr PresetPart kSwap[] = {
    {"used",
     "(node_memory_SwapTotal_bytes{$on} - node_memory_SwapFree_bytes{$on}) / "
     "(node_memory_SwapTotal_bytes{$on} > 0) or node_memory_SwapTotal_bytes{$on} * 0",
     "ratio", "> 80%", "> 95%"},
    {"pages_out", "rate(node_vmstat_pswpout{$on}[5m])", "pages/s", "> 1000", ""},
};

constexpr PresetPart kCpu[] = {
    {"used", "1 - avg by (node, instance) (rate(node_cpu_seconds_total{mode=\"idle\",$on}[5m]))",
     "ratio", "> 90%", "> 98%"},
    {"iowait", "avg by (node, instance) (rate(node_cpu_seconds_total{mode=\"iowait\",$on}[5m]))",
     "ratio", "> 20%", "> 50%"},
    {"steal", "avg by (node, instance) (rate(node_cpu_seconds_total{mode=\"steal\",$on}[5m]))",
     "ratio", "> 10%", "> 30%"},
};

constexpr PresetPart kLoad[] = {
    {"per_core",
     "node_load5{$on} / on (node, instance) "
     "count by (node, instance) (node_cpu_seconds_total{mode=\"idle\",$on})",
     "", "> 1.5", "> 3"},
};

constexpr PresetPart kTemperature[] = {
    {"sensor", "node_hwmon_temp_celsius{$on}", "celsius", "> 90", "> 100"},
    {"of_limit", "node_hwmon_temp_celsius{$on} / (node_hwmon_temp_crit_celsius{$on} > 0)", "ratio",
     "> 90%", ">= 100%"},
    {"zone", "node_thermal_zone_temp{$on}", "celsius", "> 90", "> 100"},
    {"gpu", "DCGM_FI_DEV_GPU_TEMP{$on}", "celsius", "> 85", "> 92"},
};

constexpr PresetPart kGpu[] = {
    {"lost", "binnacle_gpu_lost{$on}", "", "", "> 0"},
    {"driver_stuck", "binnacle_gpu_driver_stuck{$on}", "", "", "> 0"},
    {"ecc_uncorrected", "increase(DCGM_FI_DEV_ECC_DBE_VOL_TOTAL{$on}[1h])", "errors", "", "> 0"},
    {"ecc_corrected", "increase(DCGM_FI_DEV_ECC_SBE_VOL_TOTAL{$on}[1h])", "errors", "> 100", ""},
    {"row_remap_failure", "DCGM_FI_DEV_ROW_REMAP_FAILURE{$on}", "", "", "> 0"},
    {"xid", "increase(binnacle_gpu_xid_errors_total{$on}[15m])", "errors", "> 0", "> 5"},
    {"throttled",
     "avg_over_time(binnacle_gpu_clock_throttled{"
     "reason=~\"hw_slowdown|hw_thermal_slowdown|hw_power_brake|sw_thermal_slowdown\",$on}[5m])",
     "ratio", "> 50%", ""},
    {"memory", "DCGM_FI_DEV_FB_USED{$on} / (DCGM_FI_DEV_FB_USED{$on} + DCGM_FI_DEV_FB_FREE{$on})",
     "ratio", "> 98%", ""},
};

constexpr PresetPart kProcess[] = {
    {"running",
     "sum(namedprocess_namegroup_num_procs{$on}) or 0 * count(binnacle_process_left_out{$node})",
     "processes", "", "< 1", true},
    {"descriptors", "namedprocess_namegroup_worst_fd_ratio{$on}", "ratio", "> 80%", "> 95%"},
    {"restarts", "increase(binnacle_process_restarts_total{$on}[15m])", "restarts", "> 0", "> 5"},
};

constexpr PresetPart kSystemd[] = {
    {"active",
     "max(node_systemd_unit_state{state=\"active\",$on}) or 0 * count(node_systemd_units{$node})",
     "", "", "< 1", true},
    {"failed", "node_systemd_unit_state{state=\"failed\",$on}", "", "> 0", ""},
    {"restarts", "increase(node_systemd_service_restart_total{$on}[15m])", "restarts", "> 2",
     "> 10"},
};

constexpr PresetPart kContainer[] = {
    {"running",
     "sum(container_last_seen{$on} > bool (time() - 60)) or 0 * count(container_last_seen{$node})",
     "containers", "", "< 1", true},
    {"oom_kills", "increase(container_oom_events_total{$on}[15m])", "", "> 0", ""},
    {"memory",
     "container_memory_working_set_bytes{$on} / (container_spec_memory_limit_bytes{$on} > 0)",
     "ratio", "> 90%", "> 98%"},
    {"throttled",
     "rate(container_cpu_cfs_throttled_periods_total{$on}[5m]) / "
     "(rate(container_cpu_cfs_periods_total{$on}[5m]) > 0)",
     "ratio", "> 50%", ""},
};

constexpr Preset kPresets[] = {
    {"disk", "mountpoint", "mountpoint", kDisk},
    {"memory", "", "", kMemory},
    {"swap", "", "", kSwap},
    {"cpu", "", "", kCpu},
    {"load", "", "", kLoad},
    {"temperature", "", "", kTemperature},
    {"gpu", "", "", kGpu},
    {"process", "group", "groupname", kProcess},
    {"systemd", "unit", "name", kSystemd},
    {"container", "container", "name", kContainer},
};

}  // namespace

std::span<const Preset> presets() { return kPresets; }

}  // namespace binnacle::watch::health
