#include "store/access/upkeep.h"

#include "base/check.h"

#include <pthread.h>

namespace binnacle::store::access {

AccessUpkeep::~AccessUpkeep() { stop(); }

void AccessUpkeep::start() {
  CHECK(!thread_.joinable());
  {
    MutexLock lock(mu_);
    stopping_ = false;
  }
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "access-upkeep");
}

void AccessUpkeep::stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void AccessUpkeep::run() {
  do {
    round();
  } while (wait());
  round();
}

bool AccessUpkeep::wait() {
  MutexLock lock(mu_);
  // An early wake only makes a round come early.
  if (!stopping_) wake_.wait_for_ms(mu_, interval_ms_);
  return !stopping_;
}

void AccessUpkeep::round() {
  for (const Status& status :
       {keys_.flush_last_used(), sessions_.remove_expired(), tokens_.remove_old()}) {
    if (!status) log_.warn("access upkeep failed", {{"error", status.error().message}});
  }
}

}  // namespace binnacle::store::access
