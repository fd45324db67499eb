// What /ready answers: looked up in the background, so that a probe never waits for a disk.
#pragma once

#include "base/error.h"
#include "base/mutex.h"

namespace binnacle::app {

class Readiness {
 public:
  // Any thread.
  Status status() const EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return status_;
  }
  void set(Status status) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    status_ = std::move(status);
  }

 private:
  mutable Mutex mu_;
  Status status_ GUARDED_BY(mu_) = fail(Code::kUnavailable, "starting");
};

}  // namespace binnacle::app
