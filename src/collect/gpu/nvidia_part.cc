// Emits what the watch last saw of NVIDIA's GPUs. While the driver is stuck only that is told, so
// that old numbers do not pass for new ones.
#include <array>

#include "base/log.h"
#include "collect/gpu/gpu_metrics.h"
#include "collect/gpu/gpu_parts.h"

namespace binnacle::collect::gpu {
namespace {

// Bits of nvmlDeviceGetCurrentClocksThrottleReasons that hold clocks down; idle is none of them.
struct Reason {
  uint64_t bit;
  std::string_view name;
};
constexpr Reason kReasons[] = {
    {0x2, "application_clocks"}, {0x4, "sw_power_cap"},         {0x8, "hw_slowdown"},
    {0x10, "sync_boost"},        {0x20, "sw_thermal_slowdown"}, {0x40, "hw_thermal_slowdown"},
    {0x80, "hw_power_brake"},    {0x100, "display_clocks"},
};

class NvidiaPart final : public host::Part {
 public:
  NvidiaPart(std::unique_ptr<GpuWatch> watch, const GpuOptions& options, GpuBoard* board)
      : host_name_(options.host_name), watch_(std::move(watch)), board_(board) {}

  std::string_view name() const override { return "nvml"; }

  Status collect(host::Emitter& emitter) override {
    const GpuWatch::View view = watch_->look();
    emitter.emit(kDriverStuck, view.stuck ? 1 : 0);
    emitter.emit(kDriverStuckTotal, view.stuck_times);
    if (view.stuck) return fail(Code::kDeadlineExceeded, "the GPU driver does not answer");
    if (view.last == nullptr) return {};  // the first answer is under way
    if (board_ != nullptr) board_->put(view.last);
    if (!*view.last) return fail(view.last->error());
    const GpuSnapshot& snapshot = **view.last;
    for (const GpuReading& gpu : snapshot.gpus) emit(gpu, snapshot.driver_version, emitter);
    return {};
  }

 private:
  // Values for all three sets of labels, made once for each GPU of a run.
  struct Labels {
    std::array<std::string_view, std::size(kDcgmLabels)> dcgm;
    std::array<std::string_view, std::size(kNvidiaLabels)> nvidia;
    std::array<std::string_view, std::size(kGpuLabels)> gpu;
  };

  static void emit_values(const std::vector<GpuValue>& values, const Labels& labels,
                          host::Emitter& emitter) {
    for (const GpuValue& one : values) {
      const std::string_view* const names = one.metric->labels.data();
      if (names == kDcgmLabels) {
        emitter.emit(*one.metric, labels.dcgm, one.value);
      } else if (names == kNvidiaLabels) {
        emitter.emit(*one.metric, labels.nvidia, one.value);
      } else {
        emitter.emit(*one.metric, labels.gpu, one.value);
      }
    }
  }

  void emit(const GpuReading& gpu, std::string_view driver, host::Emitter& emitter) const {
    const std::string index = std::to_string(gpu.index);
    const std::string minor = std::to_string(gpu.minor);
    const std::string device = "nvidia" + minor;
    const Labels labels = {
        {index, gpu.uuid, gpu.pci_bus_id, device, gpu.model, host_name_, driver, ""},
        {minor, gpu.model, gpu.uuid},
        {index, gpu.uuid}};
    emitter.emit(kLost, labels.gpu, gpu.lost ? 1 : 0);
    emitter.emit(kXidErrors, labels.dcgm, static_cast<double>(gpu.last_xid));
    for (const auto& [xid, count] : gpu.xids) {
      emitter.emit(kXidTotal, {index, gpu.uuid, std::to_string(xid)}, count);
    }
    if (gpu.lost) return;
    emit_values(gpu.values, labels, emitter);
    if (gpu.has_throttle_reasons) {
      for (const Reason& reason : kReasons) {
        emitter.emit(kThrottled, {index, gpu.uuid, reason.name},
                     (gpu.throttle_reasons & reason.bit) != 0 ? 1 : 0);
      }
    }
    for (const GpuProcess& process : gpu.processes) {
      emitter.emit(kProcessMemory, {index, gpu.uuid, std::to_string(process.pid), process.name},
                   process.used_bytes);
    }
    for (const MigReading& instance : gpu.instances) {
      Labels own = labels;
      own.dcgm.back() = instance.instance_id;
      own.nvidia[2] = instance.uuid;
      own.gpu[1] = instance.uuid;
      emit_values(instance.values, own, emitter);
    }
  }

  // Fixed after construction.
  const std::string host_name_;

  const std::unique_ptr<GpuWatch> watch_;
  GpuBoard* const board_;  // null: nobody else wants to know
};

}  // namespace

std::unique_ptr<host::Part> nvidia_part(std::unique_ptr<GpuWatch> watch, const GpuOptions& options,
                                        GpuBoard* board) {
  return std::make_unique<NvidiaPart>(std::move(watch), options, board);
}

}  // namespace binnacle::collect::gpu
