// Discord's webhooks: one embed.
#include <nlohmann/json.hpp>

#include <algorithm>

#include "watch/alerts/receivers/json_fields.h"
#include "watch/alerts/receivers/notification_text.h"
#include "watch/alerts/receivers/post_services.h"
#include "watch/alerts/receivers/text_expander.h"

namespace binnacle::watch::alerts {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxTitleRunes = 256;
constexpr size_t kMaxDescriptionRunes = 4096;
constexpr size_t kMaxContentRunes = 2000;
constexpr int kRed = 0x992D22;
constexpr int kGreen = 0x2ECC71;

class Discord final : public PostService {
 public:
  Discord(DiscordConfig config, ServiceTools tools)
      : config_(std::move(config)), tools_(std::move(tools)) {}

  Result<Post> prepare(const Notification& notification) const override {
    Post out;
    TRY_ASSIGN(out.url, read_secret(tools_.files, config_.webhook_url));
    TextExpander expander(tools_.templates, notification);
    std::string description = expander.text("discord message", config_.message);
    if (const std::string more = context_lines(notification); !more.empty())
      description += (description.empty() ? "" : "\n") + more;
    const ordered_json embed = {
        {"title", tools_.cut(expander.text("discord title", config_.title), kMaxTitleRunes)},
        {"description", tools_.cut(description, kMaxDescriptionRunes)},
        {"color", notification.firing() ? kRed : kGreen}};
    ordered_json message = {
        {"content",
         tools_.cut(expander.text("discord content", config_.content), kMaxContentRunes)},
        {"embeds", ordered_json::array({embed})}};
    if (!config_.username.empty()) message["username"] = config_.username;
    if (!config_.avatar_url.empty()) message["avatar_url"] = config_.avatar_url;
    TRY(expander.status());
    out.body = json_text(message);
    return out;
  }

 private:
  // Fixed after construction
  const DiscordConfig config_;
  const ServiceTools tools_;
};

}  // namespace

std::unique_ptr<PostService> make_discord(DiscordConfig config, ServiceTools tools) {
  return std::make_unique<Discord>(std::move(config), std::move(tools));
}

}  // namespace binnacle::watch::alerts
