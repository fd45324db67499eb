// Asks NVML for all there is to know about the GPUs of this machine. A GPU that was there and no
// longer answers is told as lost, for as long as we run. One thread; any call may hang.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "collect/gpu/gpu_reading.h"
#include "collect/gpu/nvml_abi.h"

namespace binnacle::collect::gpu {

class NvmlReader final : public GpuSource {
 public:
  NvmlReader(const nvml::Api& api, const GpuOptions& options);

  // kUnavailable: the driver refuses; the next call tries to begin anew.
  Result<GpuSnapshot> read() override;

 private:
  struct Known {
    GpuReading facts;               // what does not change: index, uuid, names
    nvml::Device handle = nullptr;  // the last that it had; events of a lost one come with it
    bool lost = false;
    bool watched = false;  // its XID events are asked for
    int64_t last_xid = 0;
    std::map<int64_t, double> xids;
  };
  Status begin();
  void read_gpu(unsigned index, GpuSnapshot& snapshot);
  Known* known_at(unsigned index, nvml::Device device);
  Known& get_to_know(unsigned index, const std::string& uuid, nvml::Device device);
  void watch_xids(Known& known, nvml::Device device);
  void take_xids(GpuSnapshot& snapshot);
  Known* known_by(nvml::Device device);
  void note_lost(Known& known, const std::string& why, GpuSnapshot& snapshot);
  void read_values(nvml::Device device, GpuReading& out);
  void read_processes(nvml::Device device, GpuReading& out);
  void read_instances(nvml::Device device, GpuReading& out);
  std::string error_text(nvml::Return code) const;
  std::string uuid_of(nvml::Device device) const;

  // Fixed after construction.
  const nvml::Api api_;
  const GpuOptions options_;

  bool begun_ = false;
  std::string driver_version_;
  nvml::EventSet events_ = nullptr;
  std::map<std::string, Known> known_;  // by UUID
};

}  // namespace binnacle::collect::gpu
