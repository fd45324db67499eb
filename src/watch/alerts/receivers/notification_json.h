// A notification as Alertmanager's webhooks have it (payload version "4", its documentation,
// "<webhook_config>"), for webhooks and programs. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "watch/alerts/notification.h"

namespace binnacle::watch::alerts {

// The first `max_alerts` alerts; 0: all. `extended`: with what is not of Alertmanager (reason,
// routeLabels, context).
std::string notification_json(const Notification& notification, uint64_t max_alerts,
                              bool extended = false);

}  // namespace binnacle::watch::alerts
