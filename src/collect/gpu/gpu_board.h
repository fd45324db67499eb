// What the collector last saw of the GPUs, for others of this process who want to know how hard a
// process' GPUs work. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "collect/gpu/gpu_reading.h"

namespace binnacle::collect::gpu {

struct GpuUse {
  double utilization_ratio = 0;  // of the time that something ran
  double power_ratio = 0;        // drawn of what the limit allows
  int64_t at_ms = 0;             // monotonic, when the driver's answer was taken
};

class GpuBoard {
 public:
  explicit GpuBoard(const Clock& clock) : clock_(clock) {}

  void put(std::shared_ptr<const Result<GpuSnapshot>> snapshot) EXCLUDES(mu_);
  // Of the GPUs on which one of the processes runs, the most that any of them is used and draws.
  // nullopt: there is none, or the driver does not tell both.
  std::optional<GpuUse> of_processes(const std::vector<int64_t>& pids) const EXCLUDES(mu_);

 private:
  const Clock& clock_;

  mutable Mutex mu_;
  std::shared_ptr<const Result<GpuSnapshot>> snapshot_ GUARDED_BY(mu_);
  int64_t at_ms_ GUARDED_BY(mu_) = 0;
};

}  // namespace binnacle::collect::gpu
