// A notification as a mail: header and body, plain text and HTML as alternatives. Pure but for the
// templates' own work.
#pragma once

#include <string>

#include "base/error.h"
#include "net/smtp_client.h"
#include "watch/alerts/notification.h"
#include "watch/alerts/receiver_config.h"
#include "watch/alerts/receivers/text_expander.h"

namespace binnacle::watch::alerts {

// The Message-Id is made of `dedup`, so that a mail which goes out again after a crash is known for
// the same; all mails of a group refer to one that never was, so that they stand in one thread.
Result<net::Mail> mail_of(const EmailConfig& config, const Notification& notification,
                          const NotificationTemplates& templates, const std::string& dedup,
                          const std::string& host_name);

}  // namespace binnacle::watch::alerts
