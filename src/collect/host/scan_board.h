// What a scan on the slow thread found, for the tick on the quick one: the newest list, shared by
// both and never changed. Any thread.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace binnacle::collect::host {

template <typename Item>
class ScanBoard {
 public:
  using List = std::shared_ptr<const std::vector<Item>>;

  void publish(List list) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    list_ = std::move(list);
  }
  // Null before the first scan.
  List current() const EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return list_;
  }

 private:
  mutable Mutex mu_;
  List list_ GUARDED_BY(mu_);
};

}  // namespace binnacle::collect::host
