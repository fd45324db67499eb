#include "collect/gpu/gpu_board.h"

#include <algorithm>

#include "collect/gpu/gpu_metrics.h"

namespace binnacle::collect::gpu {
namespace {

constexpr double kPercent = 100;

std::optional<double> value_of(const GpuReading& gpu, const host::Metric& metric) {
  const auto found = std::ranges::find(gpu.values, &metric, &GpuValue::metric);
  if (found == gpu.values.end()) return std::nullopt;
  return found->value;
}

bool runs_one_of(const GpuReading& gpu, const std::vector<int64_t>& pids) {
  return std::ranges::any_of(gpu.processes, [&](const GpuProcess& process) {
    return std::ranges::find(pids, static_cast<int64_t>(process.pid)) != pids.end();
  });
}

}  // namespace

void GpuBoard::put(std::shared_ptr<const Result<GpuSnapshot>> snapshot) {
  const MutexLock lock(mu_);
  if (snapshot == snapshot_) return;
  snapshot_ = std::move(snapshot);
  at_ms_ = clock_.monotonic_ms();
}

std::optional<GpuUse> GpuBoard::of_processes(const std::vector<int64_t>& pids) const {
  const MutexLock lock(mu_);
  if (snapshot_ == nullptr || !*snapshot_) return std::nullopt;
  std::optional<GpuUse> use;
  for (const GpuReading& gpu : (*snapshot_)->gpus) {
    if (!runs_one_of(gpu, pids)) continue;
    const auto busy = value_of(gpu, kUtilization);
    const auto power = value_of(gpu, kPower);
    const auto limit = value_of(gpu, kPowerLimit);
    if (!busy || !power || limit.value_or(0) <= 0) continue;
    if (!use) use = GpuUse{.at_ms = at_ms_};
    use->utilization_ratio = std::max(use->utilization_ratio, *busy / kPercent);
    use->power_ratio = std::max(use->power_ratio, *power / *limit);
  }
  return use;
}

}  // namespace binnacle::collect::gpu
