// Runs checks on their intervals, spread over time, each on one I/O thread. Of one check no two
// runs overlap; a run that does not end in time is judged failed here, and the check is not started
// again until it ends, which holds up no other check. Any thread may change the set while it runs.
// Stopped before the IoThreads are.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "net/io_threads.h"
#include "watch/health/check.h"
#include "watch/health/check_spec.h"

namespace binnacle::watch::health {

struct RunnerOptions {
  std::chrono::milliseconds first_runs_within{5'000};  // new checks begin spread over this
  std::chrono::milliseconds grace{500};  // after the timeout, before a run is judged by the runner
};

struct RunCounts {
  uint64_t runs = 0;
  uint64_t timeouts = 0;  // runs that the runner judged
  uint64_t skipped = 0;   // turns that passed while a run went on
  bool running = false;
};

class CheckRunner {
 public:
  // On an I/O thread; quick, as it runs between the checks.
  using Sink = std::function<void(const std::string& name, const Reading& reading)>;

  // All outlive it; `sink` is not called any more once stop() has returned.
  CheckRunner(net::IoThreads& io, const Clock& clock, Registry& registry, Sink sink,
              RunnerOptions options = {});
  ~CheckRunner();  // stop()
  CheckRunner(const CheckRunner&) = delete;
  CheckRunner& operator=(const CheckRunner&) = delete;

  // Adds, or replaces the one of that name: its turn in time stays where it was, a run that goes on
  // ends unheard.
  void put(const CheckSpec& spec, std::unique_ptr<Check> check) EXCLUDES(mu_);
  void remove(const std::string& name) EXCLUDES(mu_);
  // Soon, and the interval counts from then on. kNotFound; kFailedPrecondition while a run goes on.
  Status run_now(const std::string& name) EXCLUDES(mu_);
  RunCounts counts(const std::string& name) const EXCLUDES(mu_);

  void start() EXCLUDES(mu_);
  // No new runs; what goes on ends with its own timeout or with the I/O threads.
  void stop() EXCLUDES(mu_);

 private:
  struct Core;
  struct Task;
  using TaskPtr = std::shared_ptr<Task>;  // with its coroutines

  void launch(const TaskPtr& task) REQUIRES(mu_);

  // Fixed after construction.
  net::IoThreads& io_;
  const std::shared_ptr<Core> core_;  // with the coroutines

  mutable Mutex mu_;
  std::map<std::string, TaskPtr> tasks_ GUARDED_BY(mu_);
  bool started_ GUARDED_BY(mu_) = false;
};

}  // namespace binnacle::watch::health
