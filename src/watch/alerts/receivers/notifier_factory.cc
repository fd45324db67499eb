#include "watch/alerts/receivers/notifier_factory.h"

#include <fmt/format.h>

#include "base/check.h"
#include "watch/alerts/receivers/http_notifier.h"
#include "watch/alerts/receivers/post_services.h"

namespace binnacle::watch::alerts {
namespace {

class Maker {
 public:
  Maker(const std::string& receiver, const Integration& integration, const NotifierTools& tools)
      : integration_(integration),
        tools_(tools),
        scope_(fmt::format("{}/{}/{}", receiver, integration.kind, integration.index)) {}

  std::unique_ptr<Notifier> operator()(const WebhookConfig& config) const {
    return posting(make_webhook(config, service_tools()), config.timeout_ms);
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
