// The metrics of NVIDIA's GPUs: names, units and labels of dcgm-exporter, the nvidia_gpu_* names of
// older exporters, and our own where neither has one.
#pragma once

#include "collect/host/metric.h"

namespace binnacle::collect::gpu {

using host::counter;
using host::gauge;
using host::Metric;

inline constexpr std::string_view kDcgmLabels[] = {
    "gpu",      "UUID", "pci_bus_id", "device", "modelName", "Hostname", "DCGM_FI_DRIVER_VERSION",
    "GPU_I_ID",
};
inline constexpr std::string_view kNvidiaLabels[] = {"minor_number", "name", "uuid"};
inline constexpr std::string_view kGpuLabels[] = {"gpu", "uuid"};
inline constexpr std::string_view kXidLabels[] = {"gpu", "uuid", "xid"};
inline constexpr std::string_view kReasonLabels[] = {"gpu", "uuid", "reason"};
inline constexpr std::string_view kProcessLabels[] = {"gpu", "uuid", "pid", "process"};

constexpr Metric dcgm_gauge(std::string_view name, std::string_view help) {
  return gauge(name, help, kDcgmLabels);
}
constexpr Metric dcgm_counter(std::string_view name, std::string_view help) {
  return counter(name, help, kDcgmLabels);
}

inline constexpr Metric kSmClock = dcgm_gauge("DCGM_FI_DEV_SM_CLOCK", "SM clock (MHz).");
inline constexpr Metric kMemoryClock = dcgm_gauge("DCGM_FI_DEV_MEM_CLOCK", "Memory clock (MHz).");
inline constexpr Metric kMemoryTemperature =
    dcgm_gauge("DCGM_FI_DEV_MEMORY_TEMP", "Memory temperature (C).");
inline constexpr Metric kTemperature = dcgm_gauge("DCGM_FI_DEV_GPU_TEMP", "GPU temperature (C).");
inline constexpr Metric kPower = dcgm_gauge("DCGM_FI_DEV_POWER_USAGE", "Power draw (W).");
inline constexpr Metric kPowerLimit =
    dcgm_gauge("DCGM_FI_DEV_ENFORCED_POWER_LIMIT", "Power limit in force (W).");
inline constexpr Metric kEnergy = dcgm_counter("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
                                               "Energy used since the driver came up (mJ).");
inline constexpr Metric kUtilization =
    dcgm_gauge("DCGM_FI_DEV_GPU_UTIL", "Share of time in which a kernel ran (%).");
inline constexpr Metric kMemoryUtilization =
    dcgm_gauge("DCGM_FI_DEV_MEM_COPY_UTIL", "Share of time in which memory was used (%).");
inline constexpr Metric kEncoder = dcgm_gauge("DCGM_FI_DEV_ENC_UTIL", "Encoder utilization (%).");
inline constexpr Metric kDecoder = dcgm_gauge("DCGM_FI_DEV_DEC_UTIL", "Decoder utilization (%).");
inline constexpr Metric kFbFree = dcgm_gauge("DCGM_FI_DEV_FB_FREE", "Free memory (MiB).");
inline constexpr Metric kFbUsed = dcgm_gauge("DCGM_FI_DEV_FB_USED", "Used memory (MiB).");
inline constexpr Metric kFbTotal = dcgm_gauge("DCGM_FI_DEV_FB_TOTAL", "All memory (MiB).");
inline constexpr Metric kFbReserved =
    dcgm_gauge("DCGM_FI_DEV_FB_RESERVED", "Memory the driver keeps for itself (MiB).");
inline constexpr Metric kEccSingleVolatile = dcgm_counter(
    "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", "Single-bit ECC errors since the driver came up.");
inline constexpr Metric kEccDoubleVolatile = dcgm_counter(
    "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "Double-bit ECC errors since the driver came up.");
inline constexpr Metric kEccSingleAggregate =
    dcgm_counter("DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", "Single-bit ECC errors in the GPU's life.");
inline constexpr Metric kEccDoubleAggregate =
    dcgm_counter("DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", "Double-bit ECC errors in the GPU's life.");
inline constexpr Metric kRetiredSingle =
    dcgm_counter("DCGM_FI_DEV_RETIRED_SBE", "Memory pages retired for single-bit errors.");
inline constexpr Metric kRetiredDouble =
    dcgm_counter("DCGM_FI_DEV_RETIRED_DBE", "Memory pages retired for double-bit errors.");
inline constexpr Metric kRetiredPending = dcgm_counter(
    "DCGM_FI_DEV_RETIRED_PENDING", "1 when memory pages will be retired at the next reboot.");
inline constexpr Metric kRemappedUncorrectable = dcgm_counter(
    "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "Rows remapped for uncorrectable errors.");
inline constexpr Metric kRemappedCorrectable =
    dcgm_counter("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "Rows remapped for correctable errors.");
inline constexpr Metric kRemapFailure =
    dcgm_gauge("DCGM_FI_DEV_ROW_REMAP_FAILURE", "1 when a row could not be remapped.");
inline constexpr Metric kRemapPending =
    dcgm_gauge("DCGM_FI_DEV_ROW_REMAP_PENDING", "1 when a row waits to be remapped.");
inline constexpr Metric kPcieTx =
    dcgm_gauge("DCGM_FI_DEV_PCIE_TX_THROUGHPUT", "Sent over PCIe (KB/s).");
inline constexpr Metric kPcieRx =
    dcgm_gauge("DCGM_FI_DEV_PCIE_RX_THROUGHPUT", "Received over PCIe (KB/s).");
inline constexpr Metric kPcieReplay =
    dcgm_counter("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "PCIe retries.");
inline constexpr Metric kNvlinkCrcFlit = dcgm_counter(
    "DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL", "NVLink flow-control CRC errors.");
inline constexpr Metric kNvlinkCrcData =
    dcgm_counter("DCGM_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL", "NVLink data CRC errors.");
inline constexpr Metric kNvlinkReplay =
    dcgm_counter("DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL", "NVLink retries.");
inline constexpr Metric kNvlinkRecovery =
    dcgm_counter("DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL", "NVLink recoveries.");
inline constexpr Metric kThrottleReasons = dcgm_gauge(
    "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", "Why clocks are held down: bits as NVML has them.");
inline constexpr Metric kFan = dcgm_gauge("DCGM_FI_DEV_FAN_SPEED", "Fan speed (%).");
inline constexpr Metric kXidErrors =
    dcgm_gauge("DCGM_FI_DEV_XID_ERRORS", "The last XID error; 0: none came.");

inline constexpr Metric kNvidiaUsed =
    gauge("nvidia_gpu_memory_used_bytes", "Memory in use.", kNvidiaLabels);
inline constexpr Metric kNvidiaTotal =
    gauge("nvidia_gpu_memory_total_bytes", "All memory.", kNvidiaLabels);
inline constexpr Metric kNvidiaTemperature =
    gauge("nvidia_gpu_temperature_celsius", "Temperature of the GPU.", kNvidiaLabels);

inline constexpr Metric kNvlinkSent =
    counter("binnacle_gpu_nvlink_transmit_bytes_total", "Data sent over all NVLinks.", kGpuLabels);
inline constexpr Metric kNvlinkReceived = counter("binnacle_gpu_nvlink_receive_bytes_total",
                                                  "Data received over all NVLinks.", kGpuLabels);
inline constexpr Metric kLost = gauge(
    "binnacle_gpu_lost", "1 when a GPU that was there no longer answers, else 0.", kGpuLabels);
inline constexpr Metric kXidTotal =
    counter("binnacle_gpu_xid_errors_total", "XID errors that the driver told of.", kXidLabels);
inline constexpr Metric kThrottled =
    gauge("binnacle_gpu_clock_throttled", "1 while clocks are held down for that reason, else 0.",
          kReasonLabels);
inline constexpr Metric kProcessMemory = gauge(
    "binnacle_gpu_process_memory_bytes", "Memory of a GPU that a process has.", kProcessLabels);
inline constexpr Metric kDriverStuck =
    gauge("binnacle_gpu_driver_stuck", "1 while the GPU driver does not answer, else 0.");
inline constexpr Metric kDriverStuckTotal = counter(
    "binnacle_gpu_driver_stuck_total", "How often the GPU driver left a question unanswered.");

}  // namespace binnacle::collect::gpu
