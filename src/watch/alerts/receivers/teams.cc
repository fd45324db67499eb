// Microsoft Teams: a message card for a connector, an adaptive card for a workflow.
#include <nlohmann/json.hpp>

#include "watch/alerts/receivers/json_fields.h"
#include "watch/alerts/receivers/notification_text.h"
#include "watch/alerts/receivers/post_services.h"
#include "watch/alerts/receivers/text_expander.h"

namespace binnacle::watch::alerts {
namespace {

using nlohmann::ordered_json;

// Teams takes messages of 28 KB; the rest is for what stands around the text.
constexpr size_t kMaxTextRunes = 20'000;
constexpr size_t kMaxTitleRunes = 1'024;

ordered_json message_card(const std::string& title, const std::string& summary,
                          const std::string& text, bool firing) {
  return {{"@context", "http://schema.org/extensions"},
          {"type", "MessageCard"},
          {"title", title},
          {"summary", summary},
          {"text", text},
          {"themeColor", firing ? "8C1A1A" : "2DC72D"}};
}

ordered_json adaptive_card(const std::string& title, const std::string& text, bool firing) {
  const ordered_json heading = {{"type", "TextBlock"},
                                {"text", title},
                                {"weight", "Bolder"},
                                {"size", "Medium"},
                                {"wrap", true},
                                {"style", "heading"},
                                {"color", firing ? "Attention" : "Good"}};
  const ordered_json body = {{"type", "TextBlock"}, {"text", text}, {"wrap", true}};
  const ordered_json card = {{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                             {"type", "AdaptiveCard"},
                             {"version", "1.2"},
                             {"body", ordered_json::array({heading, body})},
                             {"msteams", {{"width", "full"}}}};
  const ordered_json attachment = {{"contentType", "application/vnd.microsoft.card.adaptive"},
                                   {"contentUrl", nullptr},
                                   {"content", card}};
  return {{"type", "message"}, {"attachments", ordered_json::array({attachment})}};
}

class Teams final : public PostService {
 public:
  Teams(TeamsConfig config, ServiceTools tools)
      : config_(std::move(config)), tools_(std::move(tools)) {}

  Result<Post> prepare(const Notification& notification) const override;
  SendOutcome judge(const net::Response& response) const override;
  bool reads_body() const override { return true; }

 private:
  // Fixed after construction
  const TeamsConfig config_;
  const ServiceTools tools_;
};

Result<Post> Teams::prepare(const Notification& notification) const {
  Post out;
  TRY_ASSIGN(out.url, read_secret(tools_.files, config_.webhook_url));
  TextExpander expander(tools_.templates, notification);
  const std::string title =
      tools_.cut(expander.text("msteams title", config_.title), kMaxTitleRunes);
  const std::string summary =
      tools_.cut(expander.text("msteams summary", config_.summary), kMaxTitleRunes);
  std::string text = expander.text("msteams text", config_.text);
  // A line of its own each, in Markdown.
  for (const auto& [name, value] : notification.context) text += "\n\n" + name + ": " + value;
  text = tools_.cut(text, kMaxTextRunes);
  TRY(expander.status());
  const ordered_json card = config_.workflow
                                ? adaptive_card(title, text, notification.firing())
                                : message_card(title, summary, text, notification.firing());
  out.body = json_text(card);
  return out;
}

// A connector answers 200 where Teams behind it refused; the text then has Teams' own status.
SendOutcome Teams::judge(const net::Response& response) const {
  SendOutcome out = judge_status(response);
  constexpr std::string_view kBehind = "endpoint returned HTTP error ";
  const size_t at = response.body.find(kBehind);
  if (out.kind != SendOutcome::Kind::kSent || at == std::string::npos) return out;
  const std::string_view status = std::string_view(response.body).substr(at + kBehind.size(), 3);
  const bool again = status == "429" || status.starts_with("5");
  return {.kind = again ? SendOutcome::Kind::kRetry : SendOutcome::Kind::kFailed,
          .message = "Teams refused: " + response.body.substr(0, 500)};
}

}  // namespace

std::unique_ptr<PostService> make_teams(TeamsConfig config, ServiceTools tools) {
  return std::make_unique<Teams>(std::move(config), std::move(tools));
}

}  // namespace binnacle::watch::alerts
