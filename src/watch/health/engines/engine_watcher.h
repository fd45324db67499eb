// Watches one engine: looks at its numbers, asks it for a token now and then, looks at its
// processes when it stands still, and tells what EngineProgress makes of it. Runs on one I/O
// thread; start() and stop() by the owner's. References outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/thread_pool.h"
#include "collect/engines/local_engines.h"
#include "collect/gpu/gpu_board.h"
#include "net/io_threads.h"
#include "watch/health/engines/engine_progress.h"

namespace binnacle::watch::health {

struct EngineReport {
  std::string engine;    // "vllm"
  std::string instance;  // host:port, the label of its series
  std::string url;
  EngineState state = EngineState::kUnknown;
  // The settled state before, so that a restart leads from wedged to idle. The same as `state`:
  // said again, nothing changed.
  EngineState before = EngineState::kUnknown;
  int64_t since_ms = 0;  // wall
  std::vector<std::string> evidence;
};

// On an I/O thread: must not block.
using EngineReportSink = std::function<void(const EngineReport&)>;

struct EngineWatcherOptions {
  ProgressOptions progress;
  bool canaries = true;
  int64_t look_timeout_ms = 2'000;
  int64_t repeat_ms = 5'000;  // how often an unchanged state is said again
  std::string proc_path;      // of the processes' own files
};

struct EngineWatcherTools {
  net::IoThreads& io;
  ThreadPool& pool;  // reads /proc
  FileSystem& files;
  const Clock& clock;
  Registry& registry;
  const collect::gpu::GpuBoard* gpus = nullptr;  // null: nothing is known of them
  EngineReportSink report;
};

// The label `instance` of an engine's series.
std::string instance_of(const collect::engines::LocalEngine& engine);

class EngineWatcher {
 public:
  EngineWatcher(collect::engines::LocalEngine engine, EngineWatcherOptions options,
                EngineWatcherTools tools);
  ~EngineWatcher();  // stop()
  EngineWatcher(const EngineWatcher&) = delete;
  EngineWatcher& operator=(const EngineWatcher&) = delete;

  void start();
  void stop();  // cancels what is under way and waits for it

  const collect::engines::LocalEngine& engine() const;

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace binnacle::watch::health
