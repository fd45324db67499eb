// What is said beside the alerts of a notification: values, and links to pages with the time range.
// Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "watch/alerts/notification.h"

namespace binnacle::watch::alerts {

std::vector<std::pair<std::string, std::string>> notification_context(
    const Notification& notification);

}  // namespace binnacle::watch::alerts
