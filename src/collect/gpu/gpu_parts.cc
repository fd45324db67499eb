#include "collect/gpu/gpu_parts.h"

#include "base/log.h"
#include "collect/gpu/nvml_library.h"
#include "collect/gpu/nvml_reader.h"

namespace binnacle::collect::gpu {

host::Parts gpu_parts(const GpuOptions& options, const host::HostOptions& host, FileSystem& files,
                      const Clock& clock, GpuEventSink sink, GpuBoard* board) {
  host::Parts parts;
  if (!options.enabled) return parts;
  const Log log("collect.gpu");
  if (!options.nvml_library.empty()) {
    if (const auto api = load_nvml(options.nvml_library)) {
      parts.push_back(
          nvidia_part(std::make_unique<GpuWatch>(std::make_unique<NvmlReader>(*api, options),
                                                 options.stuck_ms, clock, std::move(sink)),
                      options, board));
    } else {
      log.info("no NVIDIA GPU is watched", {{"reason", api.error().message}});
    }
  }
  if (has_amdgpu(files, host.sys_path)) parts.push_back(amdgpu_part(files, host.sys_path));
  return parts;
}

}  // namespace binnacle::collect::gpu
