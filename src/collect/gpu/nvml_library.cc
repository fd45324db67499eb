#include "collect/gpu/nvml_library.h"

#include <dlfcn.h>

#include <fmt/format.h>

namespace binnacle::collect::gpu {
namespace {

template <typename Function>
void find(void* library, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, symbol));
}

}  // namespace

Result<nvml::Api> load_nvml(const std::string& library) {
  void* const handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* const reason = ::dlerror();
    return fail(Code::kNotFound, fmt::format("load NVML: {}", reason == nullptr ? "" : reason));
  }
  nvml::Api api{};
#define BINNACLE_FIND(name) find(handle, #name, api.name)
  BINNACLE_FIND(nvmlInit_v2);
  BINNACLE_FIND(nvmlShutdown);
  BINNACLE_FIND(nvmlErrorString);
  BINNACLE_FIND(nvmlSystemGetDriverVersion);
  BINNACLE_FIND(nvmlSystemGetProcessName);
  BINNACLE_FIND(nvmlDeviceGetCount_v2);
  BINNACLE_FIND(nvmlDeviceGetHandleByIndex_v2);
  BINNACLE_FIND(nvmlDeviceGetUUID);
  BINNACLE_FIND(nvmlDeviceGetName);
  BINNACLE_FIND(nvmlDeviceGetMinorNumber);
  BINNACLE_FIND(nvmlDeviceGetPciInfo_v3);
  BINNACLE_FIND(nvmlDeviceGetUtilizationRates);
  BINNACLE_FIND(nvmlDeviceGetEncoderUtilization);
  BINNACLE_FIND(nvmlDeviceGetDecoderUtilization);
  BINNACLE_FIND(nvmlDeviceGetMemoryInfo);
  BINNACLE_FIND(nvmlDeviceGetMemoryInfo_v2);
  BINNACLE_FIND(nvmlDeviceGetTemperature);
  BINNACLE_FIND(nvmlDeviceGetPowerUsage);
  BINNACLE_FIND(nvmlDeviceGetEnforcedPowerLimit);
  BINNACLE_FIND(nvmlDeviceGetTotalEnergyConsumption);
  BINNACLE_FIND(nvmlDeviceGetClockInfo);
  BINNACLE_FIND(nvmlDeviceGetTotalEccErrors);
  BINNACLE_FIND(nvmlDeviceGetRetiredPages);
  BINNACLE_FIND(nvmlDeviceGetRetiredPagesPendingStatus);
  BINNACLE_FIND(nvmlDeviceGetRemappedRows);
  BINNACLE_FIND(nvmlDeviceGetPcieThroughput);
  BINNACLE_FIND(nvmlDeviceGetPcieReplayCounter);
  BINNACLE_FIND(nvmlDeviceGetFieldValues);
  BINNACLE_FIND(nvmlDeviceGetCurrentClocksThrottleReasons);
  BINNACLE_FIND(nvmlDeviceGetFanSpeed);
  BINNACLE_FIND(nvmlDeviceGetComputeRunningProcesses_v3);
  BINNACLE_FIND(nvmlDeviceGetMigMode);
  BINNACLE_FIND(nvmlDeviceGetMaxMigDeviceCount);
  BINNACLE_FIND(nvmlDeviceGetMigDeviceHandleByIndex);
  BINNACLE_FIND(nvmlDeviceGetGpuInstanceId);
  BINNACLE_FIND(nvmlEventSetCreate);
  BINNACLE_FIND(nvmlDeviceRegisterEvents);
  BINNACLE_FIND(nvmlEventSetWait_v2);
#undef BINNACLE_FIND
  if (api.nvmlInit_v2 == nullptr || api.nvmlDeviceGetCount_v2 == nullptr ||
      api.nvmlDeviceGetHandleByIndex_v2 == nullptr || api.nvmlDeviceGetUUID == nullptr) {
    return fail(Code::kFailedPrecondition,
                fmt::format("load NVML: {} is too old, or something else", library));
  }
  return api;
}

}  // namespace binnacle::collect::gpu
