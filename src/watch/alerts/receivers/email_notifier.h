// Tells people by mail, one connection to the smarthost a mail. As with Alertmanager every failure
// of the dialogue is tried again, refusals included.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/thread_pool.h"
#include "watch/alerts/notification.h"
#include "watch/alerts/receivers/text_expander.h"

namespace binnacle::watch::alerts {

struct MailTools {
  FileSystem& files;
  ThreadPool& pool;
  const Clock& clock;
  NotificationTemplates templates;
  std::string host_name;    // in Message-Ids
  std::string dedup_scope;  // names the integration among all
};

class EmailNotifier final : public Notifier {
 public:
  EmailNotifier(EmailConfig config, MailTools tools);

  boost::asio::awaitable<SendOutcome> send(const Notification& notification,
                                           int64_t timeout_ms) override;

 private:
  struct State;
  const std::shared_ptr<const State> state_;  // shared with attempts that outlive this
};

}  // namespace binnacle::watch::alerts
