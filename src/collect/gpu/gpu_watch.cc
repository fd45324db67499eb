#include "collect/gpu/gpu_watch.h"

#include <pthread.h>

#include <thread>

#include "base/log.h"
#include "base/mutex.h"

namespace binnacle::collect::gpu {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

}  // namespace

struct GpuWatch::Shared {
  enum class State : uint8_t { kIdle, kAsked, kReading, kDelivering };

  Shared(std::unique_ptr<GpuSource> s, GpuEventSink d) : source(std::move(s)), sink(std::move(d)) {}

  const std::unique_ptr<GpuSource> source;  // the working thread only
  const GpuEventSink sink;                  // not called once `stopping` is set

  Mutex mu;
  CondVar changed;
  State state GUARDED_BY(mu) = State::kIdle;
  std::shared_ptr<const Result<GpuSnapshot>> last GUARDED_BY(mu);
  bool stopping GUARDED_BY(mu) = false;
};

GpuWatch::GpuWatch(std::unique_ptr<GpuSource> source, int64_t stuck_ms, const Clock& clock,
                   GpuEventSink sink)
    : stuck_ms_(stuck_ms),
      clock_(clock),
      shared_(std::make_shared<Shared>(std::move(source), std::move(sink))) {
  // Detached: a thread that hangs in the driver cannot be joined, and must not keep the process
  // from ending.
  std::thread([shared = shared_] { work(shared); }).detach();
}

GpuWatch::~GpuWatch() {
  MutexLock lock(shared_->mu);
  shared_->stopping = true;
  shared_->changed.notify_all();
  // What the sink stands on may go with us; what the driver holds up may not.
  while (shared_->state == Shared::State::kDelivering) shared_->changed.wait(shared_->mu);
}

void GpuWatch::work(const std::shared_ptr<Shared>& shared) {
  pthread_setname_np(pthread_self(), "gpu-watch");
  MutexLock lock(shared->mu);
  while (!shared->stopping) {
    if (shared->state != Shared::State::kAsked) {
      shared->changed.wait(shared->mu);
      continue;
    }
    shared->state = Shared::State::kReading;
    shared->mu.unlock();
    auto answer = std::make_shared<const Result<GpuSnapshot>>(shared->source->read());
    shared->mu.lock();
    if (shared->stopping) return;
    shared->last = answer;
    shared->state = Shared::State::kDelivering;
    shared->mu.unlock();
    if (*answer && shared->sink) {
      for (const GpuEvent& event : (*answer)->events) shared->sink(event);
    }
    shared->mu.lock();
    shared->state = Shared::State::kIdle;
    shared->changed.notify_all();
  }
}

GpuWatch::View GpuWatch::look() {
  const int64_t now_ns = clock_.monotonic_ns();
  View view;
  bool was_stuck = stuck_;
  {
    MutexLock lock(shared_->mu);
    const bool open = shared_->state != Shared::State::kIdle;
    stuck_ = open && now_ns - asked_ns_ >= stuck_ms_ * kNsPerMs;
    if (!open) {
      asked_ns_ = now_ns;
      shared_->state = Shared::State::kAsked;
      shared_->changed.notify_all();
    }
    view.last = shared_->last;
  }
  if (stuck_ != was_stuck) {
    if (stuck_) ++stuck_times_;
    const Log log("collect.gpu");
    if (stuck_) {
      log.error("the GPU driver does not answer; nothing is told of GPUs until it does",
                {{"for_ms", stuck_ms_}});
    } else {
      log.info("the GPU driver answers again");
    }
    if (shared_->sink) {
      shared_->sink({.kind = stuck_ ? "gpu.driver_stuck" : "gpu.driver_answers",
                     .detail = stuck_ ? "a question is open for too long" : "it answers again"});
    }
  }
  view.stuck = stuck_;
  view.stuck_times = stuck_times_;
  return view;
}

void GpuWatch::wait_until_idle() {
  MutexLock lock(shared_->mu);
  while (shared_->state != Shared::State::kIdle) shared_->changed.wait(shared_->mu);
}

}  // namespace binnacle::collect::gpu
