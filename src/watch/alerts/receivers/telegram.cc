// Telegram's bots: sendMessage.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/json_parse.h"
#include "base/template_escape.h"
#include "base/trailing_slash.h"
#include "watch/alerts/receivers/json_fields.h"
#include "watch/alerts/receivers/notification_text.h"
#include "watch/alerts/receivers/post_services.h"
#include "watch/alerts/receivers/text_expander.h"

namespace binnacle::watch::alerts {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxMessageRunes = 4096;
constexpr int64_t kMaxRetryAfterMs = 3'600'000;

class Telegram final : public PostService {
 public:
  Telegram(TelegramConfig config, ServiceTools tools)
      : config_(std::move(config)), tools_(std::move(tools)) {}

  Result<Post> prepare(const Notification& notification) const override;
  SendOutcome judge(const net::Response& response) const override;
  bool reads_body() const override { return true; }

 private:
  std::string message(const Notification& notification, TextExpander& expander) const;

  // Fixed after construction
  const TelegramConfig config_;
  const ServiceTools tools_;
};

std::string Telegram::message(const Notification& notification, TextExpander& expander) const {
  const std::string more = context_lines(notification);
  if (config_.parse_mode != "HTML") {
    std::string text = expander.text("telegram message", config_.message);
    // Markdown would read the context's own characters as marks.
    if (!more.empty() && config_.parse_mode.empty()) text += "\n" + more;
    return tools_.cut(text, kMaxMessageRunes);
  }
  std::string text = expander.html("telegram message", config_.message);
  if (!more.empty()) text += "\n" + template_html_escape(more);
  // Cut HTML may be broken HTML, which Telegram refuses.
  if (truncate_runes(text, kMaxMessageRunes) == text) return text;
  tools_.truncated.add();
  return fmt::format(
      "Alerts of {} ({}): their text is longer than the {} characters that Telegram takes. Shorten "
      "the receiver's message template.",
      template_html_escape(notification.receiver), notification.alerts.size(), kMaxMessageRunes);
}

Result<Post> Telegram::prepare(const Notification& notification) const {
  TRY_ASSIGN(std::string token, read_secret(tools_.files, config_.bot_token));
  TextExpander expander(tools_.templates, notification);
  // Values are text, as the bot library of Alertmanager writes them.
  ordered_json out = {{"chat_id", std::to_string(config_.chat_id)},
                      {"text", message(notification, expander)},
                      {"disable_web_page_preview", "true"}};
  if (config_.disable_notifications) out["disable_notification"] = "true";
  if (!config_.parse_mode.empty()) out["parse_mode"] = config_.parse_mode;
  if (config_.message_thread_id != 0)
    out["message_thread_id"] = std::to_string(config_.message_thread_id);
  TRY(expander.status());
  Post post;
  const std::string base = without_trailing_slash(
      config_.api_url.empty() ? "https://api.telegram.org" : config_.api_url);
  post.url = base + "/bot" + token + "/sendMessage";
  post.secrets.push_back(std::move(token));
  post.body = json_text(out);
  return post;
}

// As with Alertmanager every failure is tried again. A flood's end stands in the body.
SendOutcome Telegram::judge(const net::Response& response) const {
  SendOutcome out = judge_status(response, true);
  const auto answer = parse_json(response.body);
  if (out.kind == SendOutcome::Kind::kSent) {
    if (answer.is_object() && answer.value("ok", nlohmann::json()) == true) return out;
    return {.kind = SendOutcome::Kind::kRetry, .message = "Telegram did not say ok"};
  }
  const nlohmann::json::json_pointer wait("/parameters/retry_after");
  if (answer.is_object() && answer.contains(wait) && answer[wait].is_number()) {
    const double seconds = answer[wait].get<double>();
    if (seconds > 0)
      out.retry_after_ms = static_cast<int64_t>(std::min(seconds * 1000, double{kMaxRetryAfterMs}));
  }
  return out;
}

}  // namespace

std::unique_ptr<PostService> make_telegram(TelegramConfig config, ServiceTools tools) {
  return std::make_unique<Telegram>(std::move(config), std::move(tools));
}

}  // namespace binnacle::watch::alerts
