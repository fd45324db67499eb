// The services that are told by one POST, each in a file of its own. docs/receivers.md.
#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/instruments.h"
#include "watch/alerts/receivers/post_service.h"
#include "watch/alerts/receivers/text_expander.h"

namespace binnacle::watch::alerts {

// What all of them use; outlives them.
struct ServiceTools {
  FileSystem& files;
  NotificationTemplates templates;
  Counter& truncated;  // binnacle_alert_notification_texts_truncated_total of the kind

  // Cut to so many characters, and counted when it was.
  std::string cut(const std::string& text, size_t max_runes) const;
};

std::unique_ptr<PostService> make_webhook(WebhookConfig config, ServiceTools tools);
std::unique_ptr<PostService> make_slack(SlackConfig config, ServiceTools tools);
// `v1_url` is where events of a service_key go.
std::unique_ptr<PostService> make_pagerduty(PagerDutyConfig config, ServiceTools tools,
                                            std::string v1_url);
std::unique_ptr<PostService> make_teams(TeamsConfig config, ServiceTools tools);
std::unique_ptr<PostService> make_discord(DiscordConfig config, ServiceTools tools);
std::unique_ptr<PostService> make_telegram(TelegramConfig config, ServiceTools tools);

}  // namespace binnacle::watch::alerts
