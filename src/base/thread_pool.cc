#include "base/thread_pool.h"

#include <pthread.h>

#include <fmt/format.h>

namespace binnacle {

ThreadPool::ThreadPool(std::string name, size_t threads, size_t max_queued)
    : name_(std::move(name)), max_queued_(max_queued) {
  workers_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) {
    workers_.emplace_back([this] { run(); });
    pthread_setname_np(workers_.back().native_handle(), fmt::format("{:.11}-{}", name_, i).c_str());
  }
}

ThreadPool::~ThreadPool() { stop(); }

Status ThreadPool::post(std::function<void()> work) {
  {
    MutexLock lock(mu_);
    if (stopping_) {
      return fail(Code::kUnavailable, fmt::format("post to {} pool: it is stopping", name_));
    }
    if (queue_.size() >= max_queued_) {
      return fail(Code::kResourceExhausted,
                  fmt::format("post to {} pool: queue is full ({} waiting)", name_, max_queued_));
    }
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
  return {};
}

void ThreadPool::stop() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& worker : workers_) {
    if (worker.joinable()) worker.join();
  }
}

size_t ThreadPool::queued() const {
  MutexLock lock(mu_);
  return queue_.size();
}

void ThreadPool::run() {
  for (;;) {
    std::function<void()> work;
    {
      MutexLock lock(mu_);
      while (queue_.empty() && !stopping_) wake_.wait(mu_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace binnacle
