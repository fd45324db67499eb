#include "base/ordered_work.h"

#include <utility>

#include <fmt/format.h>

namespace binnacle {

Status OrderedWork::post(std::function<void()> work) {
  const MutexLock lock(mu_);
  if (closed_) return fail(Code::kUnavailable, "post: no more work is taken");
  if (waiting_.size() >= max_waiting_) {
    return fail(Code::kResourceExhausted, fmt::format("post: {} wait already", waiting_.size()));
  }
  waiting_.push_back(std::move(work));
  if (!running_) running_ = pool_.post([this] { run(); }).has_value();
  return {};
}

bool OrderedWork::drain(int64_t max_ms) {
  const MutexLock lock(mu_);
  closed_ = true;
  if (!running_ && !waiting_.empty()) running_ = pool_.post([this] { run(); }).has_value();
  while (running_) {
    if (!idle_.wait_for_ms(mu_, max_ms)) break;
  }
  return !running_ && waiting_.empty();
}

void OrderedWork::run() {
  for (;;) {
    std::function<void()> work;
    {
      const MutexLock lock(mu_);
      running_ = !waiting_.empty();
      if (!running_) {
        idle_.notify_all();
        return;
      }
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace binnacle
