// A bounded pool for work that may block or burn a core: disk, compression, queries. I/O threads
// hand such work here and never wait for it. Any thread may post; stop() refuses new work, runs
// what is queued and joins.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"

namespace binnacle {

class ThreadPool {
 public:
  // `name` shows as the threads' name (at most 11 characters are kept).
  ThreadPool(std::string name, size_t threads, size_t max_queued);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // kResourceExhausted when the queue is full, kUnavailable after stop().
  Status post(std::function<void()> work) EXCLUDES(mu_);
  void stop() EXCLUDES(mu_);

  size_t queued() const EXCLUDES(mu_);
  size_t threads() const { return workers_.size(); }

 private:
  void run() EXCLUDES(mu_);

  // Fixed after construction.
  const std::string name_;
  const size_t max_queued_;
  std::vector<std::thread> workers_;

  mutable Mutex mu_;
  CondVar wake_;
  std::deque<std::function<void()>> queue_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
};

}  // namespace binnacle
