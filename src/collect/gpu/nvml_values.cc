#include "collect/gpu/nvml_values.h"

#include <iterator>

#include "collect/gpu/gpu_metrics.h"

namespace binnacle::collect::gpu {
namespace {

constexpr double kMiB = 1024.0 * 1024;
constexpr double kKiB = 1024;
constexpr double kMilli = 1e-3;

// One number by one call whose last argument is where it goes.
template <typename Number, typename... Before, typename... Given>
void ask(nvml::Return (*call)(Before..., Number*), const Metric& metric, double scale,
         std::vector<GpuValue>& out, Given... given) {
  Number number = 0;
  if (call == nullptr || call(given..., &number) != nvml::kSuccess) return;
  out.push_back({&metric, static_cast<double>(number) * scale});
}

struct Field {
  unsigned id;
  unsigned scope;
  const Metric& metric;
  double scale;
};
constexpr Field kFields[] = {
    {nvml::kFieldMemoryTemperature, 0, kMemoryTemperature, 1},
    {nvml::kFieldNvlinkCrcFlit, 0, kNvlinkCrcFlit, 1},
    {nvml::kFieldNvlinkCrcData, 0, kNvlinkCrcData, 1},
    {nvml::kFieldNvlinkReplay, 0, kNvlinkReplay, 1},
    {nvml::kFieldNvlinkRecovery, 0, kNvlinkRecovery, 1},
    {nvml::kFieldNvlinkDataTx, nvml::kAllLinks, kNvlinkSent, kKiB},
    {nvml::kFieldNvlinkDataRx, nvml::kAllLinks, kNvlinkReceived, kKiB},
};

double number_of(const nvml::FieldValue& field) {
  switch (field.value_type) {
    case 0:
      return field.value.as_double;
    case 1:
      return field.value.as_unsigned;
    case 2:
      return static_cast<double>(field.value.as_unsigned_long);
    case 3:
      return static_cast<double>(field.value.as_unsigned_long_long);
    case 4:
      return static_cast<double>(field.value.as_long_long);
    case 5:
      return field.value.as_int;
    default:
      return field.value.as_unsigned_short;
  }
}

void read_fields(const nvml::Api& api, nvml::Device device, std::vector<GpuValue>& out) {
  if (api.nvmlDeviceGetFieldValues == nullptr) return;
  nvml::FieldValue fields[std::size(kFields)] = {};
  for (size_t i = 0; i < std::size(kFields); ++i) {
    fields[i].field_id = kFields[i].id;
    fields[i].scope_id = kFields[i].scope;
    fields[i].result = nvml::kNotSupported;
  }
  if (api.nvmlDeviceGetFieldValues(device, std::size(kFields), fields) != nvml::kSuccess) return;
  for (size_t i = 0; i < std::size(kFields); ++i) {
    if (fields[i].result != nvml::kSuccess) continue;
    out.push_back({&kFields[i].metric, number_of(fields[i]) * kFields[i].scale});
  }
}

void read_utilization(const nvml::Api& api, nvml::Device device, std::vector<GpuValue>& out) {
  nvml::Utilization use{};
  if (api.nvmlDeviceGetUtilizationRates != nullptr &&
      api.nvmlDeviceGetUtilizationRates(device, &use) == nvml::kSuccess) {
    out.push_back({&kUtilization, static_cast<double>(use.gpu)});
    out.push_back({&kMemoryUtilization, static_cast<double>(use.memory)});
  }
  const auto coder = [&](auto call, const Metric& metric) {
    unsigned percent = 0;
    unsigned period_us = 0;
    if (call != nullptr && call(device, &percent, &period_us) == nvml::kSuccess) {
      out.push_back({&metric, static_cast<double>(percent)});
    }
  };
  coder(api.nvmlDeviceGetEncoderUtilization, kEncoder);
  coder(api.nvmlDeviceGetDecoderUtilization, kDecoder);
}

void read_errors(const nvml::Api& api, nvml::Device device, std::vector<GpuValue>& out) {
  constexpr unsigned kCorrected = 0;
  constexpr unsigned kUncorrected = 1;
  constexpr unsigned kVolatile = 0;
  constexpr unsigned kAggregate = 1;
  const auto ecc = [&](const Metric& metric, unsigned kind, unsigned since) {
    ask<unsigned long long, nvml::Device, unsigned, unsigned>(api.nvmlDeviceGetTotalEccErrors,
                                                              metric, 1, out, device, kind, since);
  };
  ecc(kEccSingleVolatile, kCorrected, kVolatile);
  ecc(kEccDoubleVolatile, kUncorrected, kVolatile);
  ecc(kEccSingleAggregate, kCorrected, kAggregate);
  ecc(kEccDoubleAggregate, kUncorrected, kAggregate);
  const auto retired = [&](const Metric& metric, unsigned cause) {
    if (api.nvmlDeviceGetRetiredPages == nullptr) return;
    unsigned count = 0;  // no room given: only the number comes back
    const auto code = api.nvmlDeviceGetRetiredPages(device, cause, &count, nullptr);
    if (code != nvml::kSuccess && code != nvml::kInsufficientSize) return;
    out.push_back({&metric, static_cast<double>(count)});
  };
  retired(kRetiredSingle, 0);
  retired(kRetiredDouble, 1);
  ask<unsigned, nvml::Device>(api.nvmlDeviceGetRetiredPagesPendingStatus, kRetiredPending, 1, out,
                              device);
  unsigned correctable = 0;
  unsigned uncorrectable = 0;
  unsigned pending = 0;
  unsigned failed = 0;
  if (api.nvmlDeviceGetRemappedRows != nullptr &&
      api.nvmlDeviceGetRemappedRows(device, &correctable, &uncorrectable, &pending, &failed) ==
          nvml::kSuccess) {
    out.push_back({&kRemappedCorrectable, static_cast<double>(correctable)});
    out.push_back({&kRemappedUncorrectable, static_cast<double>(uncorrectable)});
    out.push_back({&kRemapPending, static_cast<double>(pending)});
    out.push_back({&kRemapFailure, static_cast<double>(failed)});
  }
}

}  // namespace

void read_memory(const nvml::Api& api, nvml::Device device, std::vector<GpuValue>& out) {
  nvml::MemoryV2 memory{};
  memory.version = nvml::kMemoryV2Version;
  const bool has_v2 = api.nvmlDeviceGetMemoryInfo_v2 != nullptr &&
                      api.nvmlDeviceGetMemoryInfo_v2(device, &memory) == nvml::kSuccess;
  if (!has_v2) {
    nvml::Memory old{};
    if (api.nvmlDeviceGetMemoryInfo == nullptr ||
        api.nvmlDeviceGetMemoryInfo(device, &old) != nvml::kSuccess) {
      return;
    }
    memory.total = old.total;
    memory.free = old.free;
    memory.used = old.used;
  }
  out.push_back({&kFbTotal, static_cast<double>(memory.total) / kMiB});
  out.push_back({&kFbFree, static_cast<double>(memory.free) / kMiB});
  out.push_back({&kFbUsed, static_cast<double>(memory.used) / kMiB});
  if (has_v2) out.push_back({&kFbReserved, static_cast<double>(memory.reserved) / kMiB});
  out.push_back({&kNvidiaUsed, static_cast<double>(memory.used)});
  out.push_back({&kNvidiaTotal, static_cast<double>(memory.total)});
}

void read_device_values(const nvml::Api& api, nvml::Device device, GpuReading& out) {
  auto& values = out.values;
  read_utilization(api, device, values);
  read_memory(api, device, values);
  ask<unsigned, nvml::Device, unsigned>(api.nvmlDeviceGetTemperature, kTemperature, 1, values,
                                        device, nvml::kTemperatureOfGpu);
  ask<unsigned, nvml::Device, unsigned>(api.nvmlDeviceGetTemperature, kNvidiaTemperature, 1, values,
                                        device, nvml::kTemperatureOfGpu);
  ask<unsigned, nvml::Device>(api.nvmlDeviceGetPowerUsage, kPower, kMilli, values, device);
  ask<unsigned, nvml::Device>(api.nvmlDeviceGetEnforcedPowerLimit, kPowerLimit, kMilli, values,
                              device);
  ask<unsigned long long, nvml::Device>(api.nvmlDeviceGetTotalEnergyConsumption, kEnergy, 1, values,
                                        device);
  ask<unsigned, nvml::Device, unsigned>(api.nvmlDeviceGetClockInfo, kSmClock, 1, values, device,
                                        nvml::kClockSm);
  ask<unsigned, nvml::Device, unsigned>(api.nvmlDeviceGetClockInfo, kMemoryClock, 1, values, device,
                                        nvml::kClockMemory);
  constexpr unsigned kSent = 0;
  constexpr unsigned kReceived = 1;
  ask<unsigned, nvml::Device, unsigned>(api.nvmlDeviceGetPcieThroughput, kPcieTx, 1, values, device,
                                        kSent);
  ask<unsigned, nvml::Device, unsigned>(api.nvmlDeviceGetPcieThroughput, kPcieRx, 1, values, device,
                                        kReceived);
  ask<unsigned, nvml::Device>(api.nvmlDeviceGetPcieReplayCounter, kPcieReplay, 1, values, device);
  ask<unsigned, nvml::Device>(api.nvmlDeviceGetFanSpeed, kFan, 1, values, device);
  read_errors(api, device, values);
  read_fields(api, device, values);
  unsigned long long reasons = 0;
  if (api.nvmlDeviceGetCurrentClocksThrottleReasons != nullptr &&
      api.nvmlDeviceGetCurrentClocksThrottleReasons(device, &reasons) == nvml::kSuccess) {
    out.throttle_reasons = reasons;
    out.has_throttle_reasons = true;
    values.push_back({&kThrottleReasons, static_cast<double>(reasons)});
  }
}

}  // namespace binnacle::collect::gpu
