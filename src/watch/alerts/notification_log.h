// What each integration of a receiver was last told of each group: with it a notification is
// decided on by Alertmanager's rules, and a restart repeats nothing. Pure; the owner's lock guards
// it.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace binnacle::watch::alerts {

struct LogKey {
  std::string group_key;
  std::string receiver;
  std::string integration;  // "webhook[0]"
  auto operator<=>(const LogKey&) const = default;
};

struct LogEntry {
  int64_t at_ms = 0;
  std::vector<uint64_t> firing;  // fingerprints, ascending
  std::vector<uint64_t> resolved;
  int64_t expires_at_ms = 0;
};

enum class NotifyReason : uint8_t {
  kNone,
  kFirst,
  kNewAlerts,
  kSomeResolved,
  kAllResolved,
  kRepeat,
  kEscalation,
  kFlapping,
  kReminder,
};
std::string_view notify_reason_name(NotifyReason reason);  // "new alerts"

struct ToTell {
  std::vector<uint64_t> firing;  // ascending
  std::vector<uint64_t> resolved;
  bool send_resolved = true;
  int64_t repeat_interval_ms = 0;
};

// `entry` may be null: never told.
NotifyReason decide_notification(const LogEntry* entry, const ToTell& tell, int64_t now_ms);

class NotificationLog {
 public:
  const LogEntry* find(const LogKey& key) const;
  void record(LogKey key, LogEntry entry) {
    entries_.insert_or_assign(std::move(key), std::move(entry));
  }
  // Removes what has expired but for groups that are still there; answers the keys.
  std::vector<LogKey> gc(int64_t now_ms, const std::set<std::string>& live_groups);
  const std::map<LogKey, LogEntry>& all() const { return entries_; }

 private:
  std::map<LogKey, LogEntry> entries_;
};

}  // namespace binnacle::watch::alerts
