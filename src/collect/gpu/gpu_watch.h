// Asks a GpuSource on a thread of its own, so that a driver that hangs holds up nobody: a question
// is begun at each look(), which never waits and gives the last answer. A thread that hangs is left
// behind with the source. look() belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "collect/gpu/gpu_reading.h"

namespace binnacle::collect::gpu {

class GpuWatch {
 public:
  GpuWatch(std::unique_ptr<GpuSource> source, int64_t stuck_ms, const Clock& clock,
           GpuEventSink sink);
  ~GpuWatch();  // waits for a question only while it may be answered, never for one that is open
  GpuWatch(const GpuWatch&) = delete;
  GpuWatch& operator=(const GpuWatch&) = delete;

  struct View {
    std::shared_ptr<const Result<GpuSnapshot>> last;  // null: no answer yet
    bool stuck = false;
    double stuck_times = 0;  // how often it became so
  };
  View look();

  // For tests: returns when no question is open and all events are delivered.
  void wait_until_idle();

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared);

  // Fixed after construction.
  const int64_t stuck_ms_;
  const Clock& clock_;
  const std::shared_ptr<Shared> shared_;  // shared: a hanging thread may outlive the watch

  // The looking thread only.
  int64_t asked_ns_ = 0;
  bool stuck_ = false;
  double stuck_times_ = 0;
};

}  // namespace binnacle::collect::gpu
