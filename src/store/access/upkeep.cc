#include "store/access/upkeep.h"

namespace binnacle::store::access {

AccessUpkeep::~AccessUpkeep() { stop(); }

void AccessUpkeep::start() {
  thread_.start(interval_ms_, [this] { round(); });
}

void AccessUpkeep::stop() {
  if (!thread_.running()) return;
  thread_.stop();
  round();
}

void AccessUpkeep::round() {
  for (const Status& status :
       {keys_.flush_last_used(), sessions_.remove_expired(), tokens_.remove_old()}) {
    if (!status) log_.warn("access upkeep failed", {{"error", status.error().message}});
  }
}

}  // namespace binnacle::store::access
