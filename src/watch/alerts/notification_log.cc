#include "watch/alerts/notification_log.h"

#include <algorithm>

namespace binnacle::watch::alerts {

std::string_view notify_reason_name(NotifyReason reason) {
  switch (reason) {
    case NotifyReason::kNone:
      return "none";
    case NotifyReason::kFirst:
      return "first";
    case NotifyReason::kNewAlerts:
      return "new alerts";
    case NotifyReason::kSomeResolved:
    case NotifyReason::kAllResolved:
      return "resolved";
    case NotifyReason::kRepeat:
      return "repeat";
    case NotifyReason::kEscalation:
      return "escalation";
    case NotifyReason::kFlapping:
      return "flapping";
    case NotifyReason::kReminder:
      return "reminder";
  }
  return "none";
}

NotifyReason decide_notification(const LogEntry* entry, const ToTell& tell, int64_t now_ms) {
  if (entry == nullptr) {
    return tell.firing.empty() ? NotifyReason::kNone : NotifyReason::kFirst;
  }
  if (!std::ranges::includes(entry->firing, tell.firing)) {
    return entry->firing.empty() ? NotifyReason::kFirst : NotifyReason::kNewAlerts;
  }
  if (tell.firing.empty()) {
    // Also for those who do not want resolved alerts: the log has to forget what fired. What fired
    // and was resolved since the last time was never told and needs no end.
    return entry->firing.empty() ? NotifyReason::kNone : NotifyReason::kAllResolved;
  }
  if (tell.send_resolved && !std::ranges::includes(entry->resolved, tell.resolved)) {
    return NotifyReason::kSomeResolved;
  }
  return entry->at_ms < now_ms - tell.repeat_interval_ms ? NotifyReason::kRepeat
                                                         : NotifyReason::kNone;
}

const LogEntry* NotificationLog::find(const LogKey& key) const {
  const auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : &it->second;
}

std::vector<LogKey> NotificationLog::gc(int64_t now_ms, const std::set<std::string>& live_groups) {
  std::vector<LogKey> gone;
  for (auto it = entries_.begin(); it != entries_.end();) {
    if (it->second.expires_at_ms > now_ms || live_groups.contains(it->first.group_key)) {
      ++it;
      continue;
    }
    gone.push_back(it->first);
    it = entries_.erase(it);
  }
  return gone;
}

}  // namespace binnacle::watch::alerts
