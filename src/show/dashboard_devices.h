// The devices of a cluster put together from their series: GPUs as DCGM, NVML and macOS tell of
// them, and what was reported of a device. Pure functions. What is not known is not healthy.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/labels.h"
#include "show/device_status.h"

namespace binnacle::show {

struct Reading {
  model::Labels labels;
  double value = 0;
};

enum class DeviceHealth : uint8_t { kUnknown, kHealthy, kUnhealthy };

struct Device {
  std::string id;    // "node1-gpu0", "mini1"
  std::string node;  // "node1"
  std::string kind;  // "gpu", "mac", "node", "reported"
  std::optional<double> utilization_percent;
  std::optional<double> memory_used_bytes;
  std::optional<double> memory_total_bytes;
  std::optional<double> temperature_celsius;
  std::optional<double> power_watts;
  std::optional<bool> model_loaded;
  std::vector<int64_t> assigned_layers;
  DeviceHealth health = DeviceHealth::kUnknown;
  int64_t reported_ms = 0;  // 0: never
};

// A report holds this long.
inline constexpr int64_t kReportHoldsMs = 300'000;

// By metric name: the newest values of device_metrics().
using ReadingsByMetric = std::map<std::string, std::vector<Reading>, std::less<>>;
const std::vector<std::string>& device_metrics();

std::vector<Device> devices_of(const ReadingsByMetric& readings,
                               const std::map<std::string, DeviceStatus>& reports, int64_t now_ms);

// healthy, degraded (some are not healthy), critical (none is), unknown (none is known).
std::string overall_status(const std::vector<Device>& devices);

}  // namespace binnacle::show
