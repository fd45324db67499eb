#include "watch/alerts/receivers/notifier_factory.h"

#include <fmt/format.h>

#include "watch/alerts/receivers/email_notifier.h"
#include "watch/alerts/receivers/exec_notifier.h"
#include "watch/alerts/receivers/http_notifier.h"
#include "watch/alerts/receivers/post_services.h"

namespace binnacle::watch::alerts {
namespace {

constexpr char kPagerDutyV1Url[] =
    "https://events.pagerduty.com/generic/2010-04-15/create_event.json";

class Maker {
 public:
  Maker(const std::string& receiver, const Integration& integration, const NotifierTools& tools)
      : integration_(integration),
        tools_(tools),
        scope_(fmt::format("{}/{}/{}", receiver, integration.kind, integration.index)) {}

  std::unique_ptr<Notifier> operator()(const WebhookConfig& config) const {
    return posting(make_webhook(config, service_tools()), config.timeout_ms);
  }
  std::unique_ptr<Notifier> operator()(const SlackConfig& config) const {
    return posting(make_slack(config, service_tools()));
  }
  std::unique_ptr<Notifier> operator()(const EmailConfig& config) const {
    return std::make_unique<EmailNotifier>(
        config, MailTools{tools_.files, tools_.pool, tools_.clock, tools_.templates,
                          tools_.host_name, scope_});
  }
  std::unique_ptr<Notifier> operator()(const PagerDutyConfig& config) const {
    return posting(make_pagerduty(config, service_tools(), kPagerDutyV1Url));
  }
  std::unique_ptr<Notifier> operator()(const TeamsConfig& config) const {
    return posting(make_teams(config, service_tools()));
  }
  std::unique_ptr<Notifier> operator()(const DiscordConfig& config) const {
    return posting(make_discord(config, service_tools()));
  }
  std::unique_ptr<Notifier> operator()(const TelegramConfig& config) const {
    return posting(make_telegram(config, service_tools()));
  }
  std::unique_ptr<Notifier> operator()(const ExecConfig& config) const {
    return std::make_unique<ExecNotifier>(config, scope_);
  }

 private:
  ServiceTools service_tools() const {
    return {tools_.files, tools_.templates,
            tools_.registry.counter("binnacle_alert_notification_texts_truncated_total",
                                    "Texts cut to what the receiving service takes.",
                                    {{"integration", integration_.kind}})};
  }

  std::unique_ptr<Notifier> posting(std::unique_ptr<PostService> service,
                                    int64_t timeout_ms = 0) const {
    return std::make_unique<HttpNotifier>(std::move(service), integration_.http, timeout_ms, scope_,
                                          tools_.files, tools_.clock, tools_.pool);
  }

  const Integration& integration_;
  const NotifierTools& tools_;
  const std::string scope_;
};

}  // namespace

std::unique_ptr<Notifier> make_notifier(const std::string& receiver, const Integration& integration,
                                        const NotifierTools& tools) {
  return std::visit(Maker(receiver, integration, tools), integration.config);
}

}  // namespace binnacle::watch::alerts
