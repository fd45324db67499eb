#include "watch/alerts/notification.h"

#include <algorithm>

namespace binnacle::watch::alerts {

bool Notification::firing() const {
  return std::ranges::any_of(
      alerts, [this](const model::Alert& alert) { return !alert.resolved_at(now_ms); });
}

}  // namespace binnacle::watch::alerts
