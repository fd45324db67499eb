#include "watch/alerts/receivers/notification_json.h"
#include "watch/alerts/receivers/notification_text.h"
#include "watch/alerts/receivers/post_services.h"
#include "watch/alerts/receivers/text_expander.h"

namespace binnacle::watch::alerts {
namespace {

class Webhook final : public PostService {
 public:
  Webhook(WebhookConfig config, ServiceTools tools)
      : config_(std::move(config)), tools_(std::move(tools)) {}

  Result<Post> prepare(const Notification& notification) const override {
    Post out;
    TRY_ASSIGN(const std::string url, read_secret(tools_.files, config_.url));
    TextExpander expander(tools_.templates, notification);
    out.url = expander.text("webhook url", url);
    TRY(expander.status());
    if (out.url.empty())
      return fail(Code::kInvalidArgument, "webhook: the url is empty after its template");
    out.body = notification_json(notification, config_.max_alerts);
    return out;
  }

 private:
  // Fixed after construction
  const WebhookConfig config_;
  const ServiceTools tools_;
};

}  // namespace

std::unique_ptr<PostService> make_webhook(WebhookConfig config, ServiceTools tools) {
  return std::make_unique<Webhook>(std::move(config), std::move(tools));
}

}  // namespace binnacle::watch::alerts
