// A thread of its own for work that comes again and again and may block: housekeeping, searches.
// Belongs to the owner's thread, which starts and stops it.
#pragma once

#include "base/mutex.h"

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace binnacle {

class RepeatingThread {
 public:
  // `name` shows as the thread's name (at most 15 characters).
  explicit RepeatingThread(std::string name) : name_(std::move(name)) {}
  ~RepeatingThread() { stop(); }
  RepeatingThread(const RepeatingThread&) = delete;
  RepeatingThread& operator=(const RepeatingThread&) = delete;

  // Runs `work` at once, and again when `interval_ms` has passed since its end; now and then a
  // little early. Not while it runs already.
  void start(int64_t interval_ms, std::function<void()> work) EXCLUDES(mu_);
  // Waits for the run in progress. Fine when it does not run.
  void stop() EXCLUDES(mu_);
  bool running() const { return thread_.joinable(); }

 private:
  bool wait(int64_t ms) EXCLUDES(mu_);  // false: stopping

  const std::string name_;  // fixed after construction
  std::thread thread_;      // of the owner's thread

  Mutex mu_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mu_) = false;
};

}  // namespace binnacle
