#include "collect/gpu/testing/nvml_double.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "collect/gpu/nvml_abi.h"

// The names are NVIDIA's.
namespace {

using namespace binnacle::collect::gpu;  // NOLINT(google-build-using-namespace)
using testing::DoubleGpu;
using testing::DoubleState;

DoubleState& state() {
  static DoubleState instance;
  return instance;
}

constexpr int kInvalidArgument = 2;

// MIG instances are told by their place in this array.
struct Instance {
  DoubleGpu* gpu;
  unsigned number;
};
Instance& instance(unsigned number) {
  static Instance instances[4];
  return instances[number];
}
bool is_instance(nvml::Device device) { return device >= &instance(0) && device <= &instance(3); }
DoubleGpu& gpu_of(nvml::Device device) {
  if (is_instance(device)) return *static_cast<Instance*>(device)->gpu;
  return *static_cast<DoubleGpu*>(device);
}
unsigned index_of(nvml::Device device) {
  return static_cast<unsigned>(&gpu_of(device) - &state().gpus[0]);
}
int alive(nvml::Device device) { return gpu_of(device).lost ? nvml::kGpuIsLost : nvml::kSuccess; }
int give(nvml::Device device, unsigned value, unsigned* out) {
  *out = value;
  return alive(device);
}
int give_text(const char* text, char* out, unsigned size) {
  std::snprintf(out, size, "%s", text);
  return nvml::kSuccess;
}

}  // namespace

extern "C" {

DoubleState* nvml_double_state() {
  state().wake = [] { state().hang.notify_all(); };
  return &state();
}

int nvmlInit_v2() {
  ++state().inits;
  return state().init_result;
}
int nvmlShutdown() { return nvml::kSuccess; }
const char* nvmlErrorString(int code) {
  return code == nvml::kGpuIsLost ? "GPU is lost" : "Driver Not Loaded";
}
int nvmlSystemGetDriverVersion(char* out, unsigned size) { return give_text("550.1", out, size); }
int nvmlSystemGetProcessName(unsigned, char* out, unsigned size) {
  return give_text("/usr/bin/python3 -m vllm", out, size);
}
int nvmlDeviceGetCount_v2(unsigned* out) {
  *out = 0;
  for (DoubleGpu& gpu : state().gpus) *out += gpu.listed ? 1 : 0;
  return nvml::kSuccess;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, nvml::Device* out) {
  for (DoubleGpu& gpu : state().gpus) {
    if (!gpu.listed || index-- > 0) continue;
    *out = &gpu;
    return nvml::kSuccess;
  }
  return kInvalidArgument;
}
int nvmlDeviceGetUUID(nvml::Device device, char* out, unsigned size) {
  if (is_instance(device)) {
    char uuid[32];
    std::snprintf(uuid, sizeof(uuid), "MIG-%u", static_cast<Instance*>(device)->number);
    return give_text(uuid, out, size);
  }
  if (gpu_of(device).lost) return nvml::kGpuIsLost;
  return give_text(gpu_of(device).uuid, out, size);
}
int nvmlDeviceGetName(nvml::Device, char* out, unsigned size) {
  return give_text("NVIDIA H100", out, size);
}
int nvmlDeviceGetMinorNumber(nvml::Device device, unsigned* out) {
  *out = index_of(device) + 4;
  return nvml::kSuccess;
}
int nvmlDeviceGetPciInfo_v3(nvml::Device, nvml::PciInfo* out) {
  return give_text("00000000:1B:00.0", out->bus_id, sizeof(out->bus_id));
}
int nvmlDeviceGetUtilizationRates(nvml::Device device, nvml::Utilization* out) {
  while (state().hang) state().hang.wait(true);
  out->gpu = gpu_of(device).utilization;
  out->memory = 30;
  return alive(device);
}
int nvmlDeviceGetMemoryInfo(nvml::Device device, nvml::Memory* out) {
  *out = {80ULL << 30, 60ULL << 30, 20ULL << 30};
  return alive(device);
}
int nvmlDeviceGetMemoryInfo_v2(nvml::Device device, nvml::MemoryV2* out) {
  if (out->version != nvml::kMemoryV2Version) return kInvalidArgument;
  if (gpu_of(device).old_memory_only) return nvml::kNotSupported;
  const unsigned long long unit = is_instance(device) ? 1ULL << 20 : 1ULL << 30;
  out->total = 80 * unit;
  out->reserved = unit;
  out->free = 59 * unit;
  out->used = 20 * unit;
  return alive(device);
}
int nvmlDeviceGetTemperature(nvml::Device device, unsigned sensor, unsigned* out) {
  return sensor == 0 ? give(device, 61, out) : kInvalidArgument;
}
int nvmlDeviceGetPowerUsage(nvml::Device device, unsigned* out) {
  return give(device, 312'500, out);
}
int nvmlDeviceGetTotalEnergyConsumption(nvml::Device device, unsigned long long* out) {
  *out = 5'000'000'000ULL;
  return alive(device);
}
int nvmlDeviceGetClockInfo(nvml::Device device, unsigned clock, unsigned* out) {
  return give(device, clock == nvml::kClockSm ? 1980 : 2619, out);
}
int nvmlDeviceGetTotalEccErrors(nvml::Device device, unsigned kind, unsigned since,
                                unsigned long long* out) {
  *out = 10 * kind + since;
  return alive(device);
}
int nvmlDeviceGetRetiredPages(nvml::Device, unsigned cause, unsigned* count,
                              unsigned long long* addresses) {
  if (addresses != nullptr) return kInvalidArgument;
  *count = cause + 2;
  return nvml::kInsufficientSize;
}
int nvmlDeviceGetRemappedRows(nvml::Device, unsigned* correctable, unsigned* uncorrectable,
                              unsigned* pending, unsigned* failed) {
  *correctable = 1;
  *uncorrectable = 2;
  *pending = 0;
  *failed = 1;
  return nvml::kSuccess;
}
int nvmlDeviceGetPcieThroughput(nvml::Device device, unsigned counter, unsigned* out) {
  return give(device, counter == 0 ? 111 : 222, out);
}
int nvmlDeviceGetPcieReplayCounter(nvml::Device device, unsigned* out) {
  return give(device, 3, out);
}
int nvmlDeviceGetFieldValues(nvml::Device device, int count, nvml::FieldValue* fields) {
  for (int i = 0; i < count; ++i) {
    fields[i].result = nvml::kSuccess;
    fields[i].value_type = 3;
    fields[i].value.as_unsigned_long_long = fields[i].field_id;
    if (fields[i].field_id == nvml::kFieldMemoryTemperature) {
      fields[i].value_type = 1;
      fields[i].value.as_unsigned = 72;
    }
    const bool of_all_links = fields[i].field_id == nvml::kFieldNvlinkDataTx ||
                              fields[i].field_id == nvml::kFieldNvlinkDataRx;
    if (of_all_links && fields[i].scope_id != nvml::kAllLinks) fields[i].result = kInvalidArgument;
    if (fields[i].field_id == nvml::kFieldNvlinkRecovery) fields[i].result = nvml::kNotSupported;
  }
  return alive(device);
}
int nvmlDeviceGetCurrentClocksThrottleReasons(nvml::Device device, unsigned long long* out) {
  *out = 0x41;  // idle, and too hot
  return alive(device);
}
int nvmlDeviceGetComputeRunningProcesses_v3(nvml::Device device, unsigned* count,
                                            nvml::ProcessInfo* out) {
  if (*count < 3) return nvml::kInsufficientSize;
  *count = 3;
  out[0] = {100, 1 << 20, 0, 0};
  out[1] = {101, 2 << 20, 0, 0};
  out[2] = {102, ~0ULL, 0, 0};
  return alive(device);
}
int nvmlDeviceGetMigMode(nvml::Device device, unsigned* current, unsigned* pending) {
  *pending = 0;
  return give(device, gpu_of(device).mig_instances > 0 ? 1 : 0, current);
}
int nvmlDeviceGetMaxMigDeviceCount(nvml::Device device, unsigned* out) {
  return give(device, 4, out);
}
int nvmlDeviceGetMigDeviceHandleByIndex(nvml::Device device, unsigned index, nvml::Device* out) {
  DoubleGpu& gpu = gpu_of(device);
  if (index >= gpu.mig_instances) return kInvalidArgument;
  instance(index) = {&gpu, index};
  *out = &instance(index);
  return nvml::kSuccess;
}
int nvmlDeviceGetGpuInstanceId(nvml::Device device, unsigned* out) {
  return give(device, static_cast<Instance*>(device)->number + 7, out);
}
int nvmlEventSetCreate(nvml::EventSet* out) {
  *out = &state();
  return nvml::kSuccess;
}
int nvmlDeviceRegisterEvents(nvml::Device, unsigned long long types, nvml::EventSet) {
  return types == nvml::kEventXid ? nvml::kSuccess : kInvalidArgument;
}
int nvmlEventSetWait_v2(nvml::EventSet, nvml::EventData* out, unsigned) {
  const unsigned xid = state().pending_xid.exchange(0);
  if (xid == 0) return nvml::kTimeout;
  *out = {&state().gpus[0], nvml::kEventXid, xid, ~0U, ~0U};
  return nvml::kSuccess;
}

}  // extern "C"
