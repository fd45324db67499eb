#include "base/repeating_thread.h"

#include <pthread.h>

#include "base/check.h"

namespace binnacle {

void RepeatingThread::start(int64_t interval_ms, std::function<void()> work) {
  CHECK(!thread_.joinable());
  {
    const MutexLock lock(mu_);
    stopping_ = false;
  }
  thread_ = std::thread([this, interval_ms, work = std::move(work)] {
    do {
      work();
    } while (wait(interval_ms));
  });
  pthread_setname_np(thread_.native_handle(), name_.c_str());
}

void RepeatingThread::stop() {
  if (!thread_.joinable()) return;
  {
    const MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool RepeatingThread::wait(int64_t ms) {
  const MutexLock lock(mu_);
  if (!stopping_) wake_.wait_for_ms(mu_, ms);
  return !stopping_;
}

}  // namespace binnacle
