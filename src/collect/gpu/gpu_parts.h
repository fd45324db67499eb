// The parts of the host collector that tell about GPUs: NVIDIA's by NVML, AMD's by sysfs. A machine
// without a GPU has none of them.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/file_system.h"
#include "collect/gpu/gpu_board.h"
#include "collect/gpu/gpu_options.h"
#include "collect/gpu/gpu_watch.h"
#include "collect/host/host_options.h"
#include "collect/host/part.h"

namespace binnacle::collect::gpu {

// `sink` and `board` may be null. All references outlive the parts.
host::Parts gpu_parts(const GpuOptions& options, const host::HostOptions& host, FileSystem& files,
                      const Clock& clock, GpuEventSink sink, GpuBoard* board);

std::unique_ptr<host::Part> nvidia_part(std::unique_ptr<GpuWatch> watch, const GpuOptions& options,
                                        GpuBoard* board);
std::unique_ptr<host::Part> amdgpu_part(FileSystem& files, std::string sys_path);
bool has_amdgpu(FileSystem& files, const std::string& sys_path);

}  // namespace binnacle::collect::gpu
