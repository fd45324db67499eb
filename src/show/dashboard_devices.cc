#include "show/dashboard_devices.h"

#include <algorithm>
#include <set>

namespace binnacle::show {
namespace {

constexpr double kMib = 1024.0 * 1024.0;

struct Source {
  std::string_view metric;
  std::optional<double> Device::*field;
  double factor;
};

// DCGM tells memory in MiB.
constexpr Source kGpuSources[] = {
    {"DCGM_FI_DEV_GPU_UTIL", &Device::utilization_percent, 1},
    {"DCGM_FI_DEV_FB_USED", &Device::memory_used_bytes, kMib},
    {"DCGM_FI_DEV_GPU_TEMP", &Device::temperature_celsius, 1},
    {"DCGM_FI_DEV_POWER_USAGE", &Device::power_watts, 1},
    {"nvidia_gpu_memory_used_bytes", &Device::memory_used_bytes, 1},
    {"nvidia_gpu_memory_total_bytes", &Device::memory_total_bytes, 1},
    {"nvidia_gpu_temperature_celsius", &Device::temperature_celsius, 1},
};
constexpr Source kMacSources[] = {
    {"mlx_gpu_utilization", &Device::utilization_percent, 1},
    {"mlx_gpu_memory_used_bytes", &Device::memory_used_bytes, 1},
    {"mlx_memory_total_bytes", &Device::memory_total_bytes, 1},
    {"mlx_gpu_power_watts", &Device::power_watts, 1},
};
constexpr std::string_view kFree = "DCGM_FI_DEV_FB_FREE";
constexpr std::string_view kNode = "node_boot_time_seconds";
constexpr std::string_view kEngine = "llm_requests_running";
constexpr std::string_view kUp = "up";
constexpr std::string_view kExpired = "binnacle_push_expired";

// The machine that a series is about: `node`, else `Hostname` as DCGM's exporter has it, else the
// host of `instance`.
std::string node_of(const model::Labels& labels) {
  for (const std::string_view name : {"node", "Hostname"}) {
    if (const auto value = labels.get(name); !value.empty()) return std::string(value);
  }
  const std::string_view instance = labels.get("instance");
  const auto colon = instance.rfind(':');
  const bool one_colon = colon != std::string_view::npos && instance.find(':') == colon;
  return std::string(one_colon ? instance.substr(0, colon) : instance);
}

// "0", also of "nvidia0".
std::string gpu_of(const model::Labels& labels) {
  for (const std::string_view name : {"gpu", "index", "device", "uuid", "UUID"}) {
    std::string_view value = labels.get(name);
    if (value.empty()) continue;
    if (value.starts_with("nvidia")) value.remove_prefix(6);
    return std::string(value);
  }
  return "0";
}

class Gatherer {
 public:
  explicit Gatherer(const ReadingsByMetric& readings) : readings_(readings) {}

  std::vector<Device> devices(const std::map<std::string, DeviceStatus>& reports, int64_t now_ms) {
    gather();
    std::vector<Device> out;
    for (auto& [id, device] : devices_) {
      judge(device);
      out.push_back(std::move(device));
    }
    for (const auto& [id, report] : reports) apply(id, report, now_ms, out);
    std::sort(out.begin(), out.end(), [](const Device& a, const Device& b) { return a.id < b.id; });
    return out;
  }

 private:
  const std::vector<Reading>& of(std::string_view metric) const {
    static const std::vector<Reading> kNone;
    const auto found = readings_.find(metric);
    return found == readings_.end() ? kNone : found->second;
  }

  Device& gpu(const Reading& reading) {
    const std::string node = node_of(reading.labels);
    return add(node + "-gpu" + gpu_of(reading.labels), node, "gpu");
  }
  Device& add(const std::string& id, const std::string& node, std::string kind) {
    Device& device = devices_[id];
    if (device.id.empty()) {
      device.id = id;
      device.node = node;
      device.kind = std::move(kind);
    }
    return device;
  }

  void gather() {
    for (const Source& source : kGpuSources) {
      for (const Reading& reading : of(source.metric))
        gpu(reading).*source.field = reading.value * source.factor;
    }
    for (const Reading& reading : of(kFree)) {
      Device& device = gpu(reading);
      if (!device.memory_total_bytes && device.memory_used_bytes)
        device.memory_total_bytes = *device.memory_used_bytes + reading.value * kMib;
    }
    for (const Source& source : kMacSources) {
      for (const Reading& reading : of(source.metric)) {
        const std::string node = node_of(reading.labels);
        add(node, node, "mac").*source.field = reading.value;
      }
    }
    // A Mac that fell silent has nothing but the sign of it.
    for (const Reading& reading : of(kExpired)) {
      const std::string node = node_of(reading.labels);
      if (reading.labels.get("job") == "mlx" && !node.empty()) add(node, node, "mac");
      if (reading.value != 0) bad_.insert(node);
    }
    std::set<std::string> with_device;
    for (const auto& [id, device] : devices_) with_device.insert(device.node);
    for (const Reading& reading : of(kNode)) {
      const std::string node = node_of(reading.labels);
      if (!with_device.contains(node)) add(node, node, "node");
    }
    for (const Reading& reading : of(kEngine)) engines_.insert(node_of(reading.labels));
    for (const Reading& reading : of(kUp)) {
      if (reading.value == 0) bad_.insert(node_of(reading.labels));
    }
  }

  void judge(Device& device) const {
    if (engines_.contains(device.node)) device.model_loaded = true;
    device.health = bad_.contains(device.node) ? DeviceHealth::kUnhealthy : DeviceHealth::kHealthy;
  }

  // A report that is old says nothing of health; what is loaded and assigned is so until it is
  // told otherwise.
  static void apply(const std::string& id, const DeviceStatus& report, int64_t now_ms,
                    std::vector<Device>& devices) {
    auto found = std::find_if(devices.begin(), devices.end(),
                              [&](const Device& device) { return device.id == id; });
    const bool only_reported = found == devices.end();
    if (only_reported) {
      Device device;
      device.id = id;
      device.kind = "reported";
      found = devices.insert(devices.end(), std::move(device));
    }
    found->reported_ms = report.reported_ms;
    if (report.model_loaded) found->model_loaded = report.model_loaded;
    if (report.assigned_layers) found->assigned_layers = *report.assigned_layers;
    const bool holds = now_ms - report.reported_ms <= kReportHoldsMs;
    if (!report.is_healthy || !holds) return;
    if (!*report.is_healthy) {
      found->health = DeviceHealth::kUnhealthy;
    } else if (only_reported) {
      found->health = DeviceHealth::kHealthy;
    }
  }

  const ReadingsByMetric& readings_;
  std::map<std::string, Device> devices_;
  std::set<std::string> engines_;  // nodes that have one
  std::set<std::string> bad_;      // nodes of which something is known to be down
};

}  // namespace

const std::vector<std::string>& device_metrics() {
  static const std::vector<std::string> kAll = [] {
    std::vector<std::string> all;
    for (const Source& source : kGpuSources) all.emplace_back(source.metric);
    for (const Source& source : kMacSources) all.emplace_back(source.metric);
    for (const std::string_view metric : {kFree, kNode, kEngine, kUp, kExpired})
      all.emplace_back(metric);
    return all;
  }();
  return kAll;
}

std::vector<Device> devices_of(const ReadingsByMetric& readings,
                               const std::map<std::string, DeviceStatus>& reports, int64_t now_ms) {
  return Gatherer(readings).devices(reports, now_ms);
}

std::string overall_status(const std::vector<Device>& devices) {
  const auto count = [&](DeviceHealth health) {
    return static_cast<size_t>(std::count_if(devices.begin(), devices.end(),
                                             [&](const Device& d) { return d.health == health; }));
  };
  const size_t healthy = count(DeviceHealth::kHealthy);
  if (count(DeviceHealth::kUnknown) == devices.size()) return "unknown";
  if (healthy == devices.size()) return "healthy";
  return healthy == 0 ? "critical" : "degraded";
}

}  // namespace binnacle::show
