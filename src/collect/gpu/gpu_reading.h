// What one look at the GPUs brought, as plain data that goes from the thread that asks the driver
// to the one that emits. And the seam between them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "collect/gpu/gpu_options.h"
#include "collect/host/metric.h"

namespace binnacle::collect::gpu {

struct GpuValue {
  const host::Metric* metric = nullptr;  // of gpu_metrics.h
  double value = 0;
};

struct GpuProcess {
  unsigned pid = 0;
  std::string name;
  double used_bytes = 0;
};

struct MigReading {
  std::string uuid;
  std::string instance_id;
  std::vector<GpuValue> values;
};

struct GpuReading {
  unsigned index = 0;
  unsigned minor = 0;
  std::string uuid;
  std::string model;
  std::string pci_bus_id;
  bool lost = false;  // then it has no values
  std::vector<GpuValue> values;
  std::vector<GpuProcess> processes;
  std::vector<MigReading> instances;
  uint64_t throttle_reasons = 0;  // bits of NVML
  bool has_throttle_reasons = false;
  int64_t last_xid = 0;
  std::map<int64_t, double> xids;  // how often each came, since the start
};

struct GpuSnapshot {
  std::string driver_version;
  std::vector<GpuReading> gpus;  // by index
  std::vector<GpuEvent> events;  // since the reading before
};

// Asks the driver; may hang for ever. One thread.
class GpuSource {
 public:
  virtual ~GpuSource() = default;
  virtual Result<GpuSnapshot> read() = 0;
};

}  // namespace binnacle::collect::gpu
