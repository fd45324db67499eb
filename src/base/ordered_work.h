// Work that is done on a ThreadPool in order, one piece at a time: a thread's worth of order
// without a thread. Any thread may post. Must not die before its pool has stopped or drain() has
// returned.
#pragma once

#include <deque>
#include <functional>

#include "base/error.h"
#include "base/mutex.h"
#include "base/thread_pool.h"

namespace binnacle {

class OrderedWork {
 public:
  OrderedWork(ThreadPool& pool, size_t max_waiting) : pool_(pool), max_waiting_(max_waiting) {}
  OrderedWork(const OrderedWork&) = delete;
  OrderedWork& operator=(const OrderedWork&) = delete;

  // kResourceExhausted when so much waits already. Taken work that the pool has no room for is
  // begun by the next post().
  Status post(std::function<void()> work) EXCLUDES(mu_);

  // Refuses new work from now on; true when all that was taken is done, false when that took longer
  // than `max_ms`.
  bool drain(int64_t max_ms) EXCLUDES(mu_);

 private:
  void run() EXCLUDES(mu_);

  // Fixed after construction.
  ThreadPool& pool_;
  const size_t max_waiting_;

  Mutex mu_;
  CondVar idle_;
  std::deque<std::function<void()>> waiting_ GUARDED_BY(mu_);
  bool running_ GUARDED_BY(mu_) = false;
  bool closed_ GUARDED_BY(mu_) = false;
};

}  // namespace binnacle
