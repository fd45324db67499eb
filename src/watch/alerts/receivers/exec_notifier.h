// Runs a program for each notification, which it finds as JSON on its standard input
// (notification_json.h, extended). Exit code 0 is success; 75 (EX_TEMPFAIL of sysexits.h) asks for
// another attempt, and so does a program that did not end in time; all else is for good.
#pragma once

#include <string>

#include "watch/alerts/notification.h"

namespace binnacle::watch::alerts {

class ExecNotifier final : public Notifier {
 public:
  ExecNotifier(ExecConfig config, std::string dedup_scope)
      : config_(std::move(config)), dedup_scope_(std::move(dedup_scope)) {}

  boost::asio::awaitable<SendOutcome> send(const Notification& notification,
                                           int64_t timeout_ms) override;

 private:
  // Fixed after construction
  const ExecConfig config_;
  const std::string dedup_scope_;
};

}  // namespace binnacle::watch::alerts
