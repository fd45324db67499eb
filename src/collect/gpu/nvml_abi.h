// The part of NVML's C interface that is used, declared from NVIDIA's public API reference, so that
// no header of theirs is needed to build. Layouts and numbers are fixed by the versioned symbols:
// they must never change here.
#pragma once

#include <cstddef>

namespace binnacle::collect::gpu::nvml {

using Device = void*;
using EventSet = void*;
using Return = int;

inline constexpr Return kSuccess = 0;
inline constexpr Return kNotSupported = 3;
inline constexpr Return kInsufficientSize = 7;
inline constexpr Return kTimeout = 10;
inline constexpr Return kGpuIsLost = 15;
inline constexpr Return kResetRequired = 16;

struct Utilization {
  unsigned gpu;
  unsigned memory;
};
struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
struct MemoryV2 {
  unsigned version;
  unsigned long long total;
  unsigned long long reserved;
  unsigned long long free;
  unsigned long long used;
};
inline constexpr unsigned kMemoryV2Version = sizeof(MemoryV2) | (2U << 24);
struct PciInfo {
  char bus_id_legacy[16];
  unsigned domain;
  unsigned bus;
  unsigned device;
  unsigned pci_device_id;
  unsigned pci_subsystem_id;
  char bus_id[32];
};
struct ProcessInfo {
  unsigned pid;
  unsigned long long used_memory;  // all bits set: not known
  unsigned gpu_instance_id;
  unsigned compute_instance_id;
};
union Value {
  double as_double;
  unsigned as_unsigned;
  unsigned long as_unsigned_long;
  unsigned long long as_unsigned_long_long;
  long long as_long_long;
  int as_int;
  unsigned short as_unsigned_short;
};
struct FieldValue {
  unsigned field_id;
  unsigned scope_id;
  long long timestamp;
  long long latency_us;
  unsigned value_type;  // 0 double, 1 unsigned, 2 unsigned long, 3 unsigned long long, 4 long long
  Return result;
  Value value;
};
struct EventData {
  Device device;
  unsigned long long event_type;
  unsigned long long event_data;
  unsigned gpu_instance_id;
  unsigned compute_instance_id;
};
static_assert(sizeof(MemoryV2) == 40 && sizeof(PciInfo) == 68 && sizeof(ProcessInfo) == 24 &&
              sizeof(FieldValue) == 40 && sizeof(EventData) == 32);

inline constexpr unsigned long long kEventXid = 8;
inline constexpr unsigned kTemperatureOfGpu = 0;
inline constexpr unsigned kClockSm = 1;
inline constexpr unsigned kClockMemory = 2;
inline constexpr unsigned kAllLinks = ~0U;

// Field identifiers.
inline constexpr unsigned kFieldNvlinkCrcFlit = 38;
inline constexpr unsigned kFieldNvlinkCrcData = 45;
inline constexpr unsigned kFieldNvlinkReplay = 52;
inline constexpr unsigned kFieldNvlinkRecovery = 59;
inline constexpr unsigned kFieldMemoryTemperature = 82;
inline constexpr unsigned kFieldNvlinkDataTx = 138;  // KiB
inline constexpr unsigned kFieldNvlinkDataRx = 139;

// Every function by its symbol; an old driver lacks some, and these are null.
struct Api {
  Return (*nvmlInit_v2)();
  Return (*nvmlShutdown)();
  const char* (*nvmlErrorString)(Return);
  Return (*nvmlSystemGetDriverVersion)(char*, unsigned);
  Return (*nvmlSystemGetProcessName)(unsigned, char*, unsigned);
  Return (*nvmlDeviceGetCount_v2)(unsigned*);
  Return (*nvmlDeviceGetHandleByIndex_v2)(unsigned, Device*);
  Return (*nvmlDeviceGetUUID)(Device, char*, unsigned);
  Return (*nvmlDeviceGetName)(Device, char*, unsigned);
  Return (*nvmlDeviceGetMinorNumber)(Device, unsigned*);
  Return (*nvmlDeviceGetPciInfo_v3)(Device, PciInfo*);
  Return (*nvmlDeviceGetUtilizationRates)(Device, Utilization*);
  Return (*nvmlDeviceGetEncoderUtilization)(Device, unsigned*, unsigned*);
  Return (*nvmlDeviceGetDecoderUtilization)(Device, unsigned*, unsigned*);
  Return (*nvmlDeviceGetMemoryInfo)(Device, Memory*);
  Return (*nvmlDeviceGetMemoryInfo_v2)(Device, MemoryV2*);
  Return (*nvmlDeviceGetTemperature)(Device, unsigned, unsigned*);
  Return (*nvmlDeviceGetPowerUsage)(Device, unsigned*);
  Return (*nvmlDeviceGetEnforcedPowerLimit)(Device, unsigned*);
  Return (*nvmlDeviceGetTotalEnergyConsumption)(Device, unsigned long long*);
  Return (*nvmlDeviceGetClockInfo)(Device, unsigned, unsigned*);
  Return (*nvmlDeviceGetTotalEccErrors)(Device, unsigned, unsigned, unsigned long long*);
  Return (*nvmlDeviceGetRetiredPages)(Device, unsigned, unsigned*, unsigned long long*);
  Return (*nvmlDeviceGetRetiredPagesPendingStatus)(Device, unsigned*);
  Return (*nvmlDeviceGetRemappedRows)(Device, unsigned*, unsigned*, unsigned*, unsigned*);
  Return (*nvmlDeviceGetPcieThroughput)(Device, unsigned, unsigned*);
  Return (*nvmlDeviceGetPcieReplayCounter)(Device, unsigned*);
  Return (*nvmlDeviceGetFieldValues)(Device, int, FieldValue*);
  Return (*nvmlDeviceGetCurrentClocksThrottleReasons)(Device, unsigned long long*);
  Return (*nvmlDeviceGetFanSpeed)(Device, unsigned*);
  Return (*nvmlDeviceGetComputeRunningProcesses_v3)(Device, unsigned*, ProcessInfo*);
  Return (*nvmlDeviceGetMigMode)(Device, unsigned*, unsigned*);
  Return (*nvmlDeviceGetMaxMigDeviceCount)(Device, unsigned*);
  Return (*nvmlDeviceGetMigDeviceHandleByIndex)(Device, unsigned, Device*);
  Return (*nvmlDeviceGetGpuInstanceId)(Device, unsigned*);
  Return (*nvmlEventSetCreate)(EventSet*);
  Return (*nvmlDeviceRegisterEvents)(Device, unsigned long long, EventSet);
  Return (*nvmlEventSetWait_v2)(EventSet, EventData*, unsigned);
};

}  // namespace binnacle::collect::gpu::nvml
