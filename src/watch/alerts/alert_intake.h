// The way in for alerts that come by the thousand: no thread waits until they are on disk.
#pragma once

#include <functional>
#include <vector>

#include "base/error.h"
#include "model/alert.h"

namespace binnacle::watch::alerts {

class AlertIntake {
 public:
  virtual ~AlertIntake() = default;
  // As model::AlertSink::put(), from any thread, I/O threads among them: `done` hears what put()
  // would answer, on another thread or before this returns, and must not block.
  virtual void put_later(std::vector<model::Alert> alerts,
                         std::function<void(const Status&)> done) = 0;
};

}  // namespace binnacle::watch::alerts
