// What a receiver is told, and who tells it. A notification is a plain value; a notifier does the
// I/O for one integration.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/alert.h"
#include "watch/alerts/receiver_config.h"

namespace binnacle::watch::alerts {

struct Notification {
  std::string receiver;
  std::string group_key;  // `{}/{team="a"}:{alertname="x"}`
  model::Labels group_labels;
  model::Labels route_labels;
  std::vector<model::Alert> alerts;  // firing first, then resolved, by start
  int64_t now_ms = 0;                // alerts are firing or resolved as of it
  std::string external_url;
  // Tells this one from the same alerts told before, and is the same after a crash: the time of the
  // group's last notification, for example. Empty: the time of this one does where nothing else
  // changed.
  std::string dedup_id;
  std::string reason;  // "first", "new alerts", "resolved", "repeat", "escalation", "reminder"
  // Context that is not of Alertmanager, shown below the text where a receiver has room: the value,
  // the deciding check, links to the page with the time range.
  std::vector<std::pair<std::string, std::string>> context;

  bool firing() const;  // at least one alert is
};

struct SendOutcome {
  enum class Kind : uint8_t { kSent, kRetry, kFailed };
  Kind kind = Kind::kSent;
  std::string message;         // of what went wrong, without secrets
  int64_t retry_after_ms = 0;  // asked for by the receiver; 0: the sender's own back-off
};

// One integration of one receiver. On one I/O thread; never blocks it.
class Notifier {
 public:
  virtual ~Notifier() = default;
  // One attempt, which ends by itself within `timeout_ms`.
  virtual boost::asio::awaitable<SendOutcome> send(const Notification& notification,
                                                   int64_t timeout_ms) = 0;
};

}  // namespace binnacle::watch::alerts
