// The services that are told by one POST, each in a file of its own. docs/receivers.md.
#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/instruments.h"
#include "base/template.h"
#include "watch/alerts/receivers/post_service.h"

namespace binnacle::watch::alerts {

// What all of them use; outlives them.
struct ServiceTools {
  FileSystem& files;
  std::shared_ptr<const TemplateSet> templates;
  Counter& truncated;  // binnacle_alert_notification_texts_truncated_total of the kind
};

std::unique_ptr<PostService> make_webhook(WebhookConfig config, ServiceTools tools);

}  // namespace binnacle::watch::alerts
