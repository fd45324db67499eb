// What is asked of GPUs, and how patiently.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace binnacle::collect::gpu {

// What happened to a GPU: "gpu.lost", "gpu.back", "gpu.xid", "gpu.driver_stuck",
// "gpu.driver_answers".
struct GpuEvent {
  std::string kind;
  std::string uuid;  // empty for the driver as a whole
  int64_t gpu = -1;
  int64_t xid = 0;
  std::string detail;
};
// Called from a thread of the collector, which may wait for a disk.
using GpuEventSink = std::function<void(const GpuEvent&)>;

struct GpuOptions {
  bool enabled = true;
  std::string nvml_library = "libnvidia-ml.so.1";  // looked for as dlopen(3) does; empty: never
  int64_t stuck_ms = 5000;    // a driver that has not answered for that long counts as stuck
  size_t max_processes = 64;  // of each GPU that are told; those with most memory
  std::string host_name;      // the label `Hostname`
};

}  // namespace binnacle::collect::gpu
