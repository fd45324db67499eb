// Slack's incoming webhooks and chat.postMessage: one message with one attachment.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_parse.h"
#include "watch/alerts/receivers/json_fields.h"
#include "watch/alerts/receivers/notification_text.h"
#include "watch/alerts/receivers/post_services.h"
#include "watch/alerts/receivers/text_expander.h"

namespace binnacle::watch::alerts {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxTitleRunes = 1024;

class Slack final : public PostService {
 public:
  Slack(SlackConfig config, ServiceTools tools)
      : config_(std::move(config)), tools_(std::move(tools)) {}

  Result<Post> prepare(const Notification& notification) const override;
  SendOutcome judge(const net::Response& response) const override;
  bool reads_body() const override { return true; }

 private:
  ordered_json attachment(const Notification& notification, TextExpander& expander) const;
  ordered_json fields(TextExpander& expander) const;
  ordered_json actions(TextExpander& expander) const;

  // Fixed after construction
  const SlackConfig config_;
  const ServiceTools tools_;
};

ordered_json Slack::fields(TextExpander& expander) const {
  ordered_json out = ordered_json::array();
  for (const SlackField& field : config_.fields) {
    out.push_back({{"title", expander.text("slack field title", field.title)},
                   {"value", expander.text("slack field value", field.value)},
                   {"short", field.is_short.value_or(config_.short_fields)}});
  }
  return out;
}

ordered_json Slack::actions(TextExpander& expander) const {
  ordered_json out = ordered_json::array();
  for (const SlackAction& action : config_.actions) {
    ordered_json one = ordered_json::object();
    put_if_any(one, "type", expander.text("slack action type", action.type));
    put_if_any(one, "text", expander.text("slack action text", action.text));
    put_if_any(one, "url", expander.text("slack action url", action.url));
    put_if_any(one, "style", expander.text("slack action style", action.style));
    put_if_any(one, "name", expander.text("slack action name", action.name));
    put_if_any(one, "value", expander.text("slack action value", action.value));
    out.push_back(std::move(one));
  }
  return out;
}

ordered_json Slack::attachment(const Notification& notification, TextExpander& expander) const {
  ordered_json out = ordered_json::object();
  put_if_any(out, "title", tools_.cut(expander.text("slack title", config_.title), kMaxTitleRunes));
  put_if_any(out, "title_link", expander.text("slack title_link", config_.title_link));
  put_if_any(out, "pretext", expander.text("slack pretext", config_.pretext));
  std::string text = expander.text("slack text", config_.text);
  if (const std::string more = context_lines(notification); !more.empty())
    text += (text.empty() ? "" : "\n") + more;
  out["text"] = std::move(text);
  out["fallback"] = expander.text("slack fallback", config_.fallback);
  out["callback_id"] = expander.text("slack callback_id", config_.callback_id);
  if (!config_.fields.empty()) out["fields"] = fields(expander);
  if (!config_.actions.empty()) out["actions"] = actions(expander);
  put_if_any(out, "image_url", expander.text("slack image_url", config_.image_url));
  put_if_any(out, "thumb_url", expander.text("slack thumb_url", config_.thumb_url));
  out["footer"] = expander.text("slack footer", config_.footer);
  put_if_any(out, "color", expander.text("slack color", config_.color));
  out["mrkdwn_in"] = config_.mrkdwn_in.empty()
                         ? std::vector<std::string>{"fallback", "pretext", "text"}
                         : config_.mrkdwn_in;
  return out;
}

Result<Post> Slack::prepare(const Notification& notification) const {
  Post out;
  TRY_ASSIGN(out.url, read_secret(tools_.files, config_.api_url));
  TextExpander expander(tools_.templates, notification);
  ordered_json message = ordered_json::object();
  put_if_any(message, "channel", expander.text("slack channel", config_.channel));
  put_if_any(message, "username", expander.text("slack username", config_.username));
  put_if_any(message, "icon_emoji", expander.text("slack icon_emoji", config_.icon_emoji));
  put_if_any(message, "icon_url", expander.text("slack icon_url", config_.icon_url));
  if (config_.link_names) message["link_names"] = true;
  message["attachments"] = ordered_json::array({attachment(notification, expander)});
  TRY(expander.status());
  out.body = json_text(message);
  return out;
}

// Slack refuses with status 200, too: a webhook says "ok" or an error's name, the API says ok:
// false.
SendOutcome Slack::judge(const net::Response& response) const {
  SendOutcome out = judge_status(response);
  if (out.kind != SendOutcome::Kind::kSent) return out;
  if (!response.headers.get("Content-Type").starts_with("application/json")) {
    if (response.body == "ok") return out;
    return {.kind = SendOutcome::Kind::kFailed,
            .message = "Slack refused: " + response.body.substr(0, 500)};
  }
  const auto answer = parse_json(response.body);
  if (!answer.is_object())
    return {.kind = SendOutcome::Kind::kRetry, .message = "Slack's answer is not whole"};
  const auto ok = answer.find("ok");
  if (ok != answer.end() && ok->is_boolean() && ok->get<bool>()) return out;
  const auto error = answer.find("error");
  const bool named = error != answer.end() && error->is_string();
  return {.kind = SendOutcome::Kind::kFailed,
          .message = "Slack refused: " + (named ? error->get<std::string>().substr(0, 500) : "")};
}

}  // namespace

std::unique_ptr<PostService> make_slack(SlackConfig config, ServiceTools tools) {
  return std::make_unique<Slack>(std::move(config), std::move(tools));
}

}  // namespace binnacle::watch::alerts
