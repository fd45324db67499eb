// The numbers of one GPU: each question of NVML beside the metric it answers. What a GPU or its
// driver does not offer is left out.
#pragma once

#include <vector>

#include "collect/gpu/gpu_reading.h"
#include "collect/gpu/nvml_abi.h"

namespace binnacle::collect::gpu {

void read_device_values(const nvml::Api& api, nvml::Device device, GpuReading& out);
// In MiB, of a GPU or a MIG instance.
void read_memory(const nvml::Api& api, nvml::Device device, std::vector<GpuValue>& out);

}  // namespace binnacle::collect::gpu
