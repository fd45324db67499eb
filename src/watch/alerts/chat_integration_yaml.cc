#include <fmt/format.h>

#include <string>
#include <utility>

#include "watch/alerts/integration_yaml.h"

namespace binnacle::watch::alerts {
namespace {

using Fields = std::initializer_list<std::pair<const char*, std::string*>>;

void read_texts(YamlMap& map, Fields fields) {
  for (const auto& [name, out] : fields) map.read(name, *out);
}

// `{{ template "slack.default.title" . }}`
std::string default_template(std::string_view name) {
  return fmt::format(R"({{{{ template "{}" . }}}})", name);
}

void read_slack_fields(YamlMap& map, SlackConfig& config) {
  const auto list = map.field("fields");
  if (!list) return;
  for (const YamlValue& item : list->items()) {
    YamlMap fields(item);
    SlackField one;
    read_texts(fields, {{"title", &one.title}, {"value", &one.value}});
    if (const auto field = fields.field("short")) one.is_short = field->boolean();
    fields.finish();
    if (one.title.empty() || one.value.empty()) item.problem("a field has a title and a value");
    config.fields.push_back(std::move(one));
  }
}

void read_slack_actions(YamlMap& map, SlackConfig& config) {
  const auto list = map.field("actions");
  if (!list) return;
  for (const YamlValue& item : list->items()) {
    YamlMap fields(item);
    SlackAction one;
    read_texts(fields, {{"type", &one.type},
                        {"text", &one.text},
                        {"url", &one.url},
                        {"style", &one.style},
                        {"name", &one.name},
                        {"value", &one.value}});
    fields.unused("confirm", "has no effect: buttons act without a question");
    fields.finish();
    if (one.type.empty() || one.text.empty()) item.problem("an action has a type and a text");
    if (one.url.empty() && one.name.empty()) item.problem("an action has a url or a name");
    if (!one.url.empty()) one.name = one.value = "";  // a link does nothing else
    config.actions.push_back(std::move(one));
  }
}

// A token of an app stands in the header, and the address is the same for all.
void read_slack_access(YamlMap& map, const GlobalSettings& global, Integration& out,
                       SlackConfig& config) {
  config.api_url = read_secret_url(map, "api_url");
  Secret token = read_secret(map, "app_token");
  std::string app_url = global.slack_app_url;
  read_url(map, "app_url", app_url);
  if (!config.api_url.empty() && !token.empty()) {
    map.value().problem("api_url and app_token are both given: keep one");
  }
  if (config.api_url.empty() && token.empty() && !out.http.authorization) {
    token = global.slack_app_token;
  }
  if (config.api_url.empty() && token.empty()) config.api_url = global.slack_api_url;
  if (!token.empty()) {
    if (out.http.authorization) {
      map.value().problem("app_token and http_config.authorization are both given: keep one");
    }
    out.http.authorization =
        net::Authorization{.credentials = token.value, .credentials_file = token.file};
    config.api_url = {.value = app_url, .file = {}};
  }
  if (config.api_url.empty()) {
    map.value().problem("api_url is missing: give it, api_url_file, app_token or the global one");
  }
}

void read_webhook_url(YamlMap& map, Secret& out) {
  out = read_secret_url(map, "webhook_url");
  if (out.empty()) map.value().problem("webhook_url is missing: give it or webhook_url_file");
}

}  // namespace

void read_slack(YamlMap& map, const GlobalSettings& global, Integration& out) {
  SlackConfig config;
  read_slack_access(map, global, out, config);
  const std::pair<const char*, std::string*> with_template[] = {
      {"color", &config.color},          {"username", &config.username},
      {"title", &config.title},          {"titlelink", &config.title_link},
      {"iconemoji", &config.icon_emoji}, {"iconurl", &config.icon_url},
      {"pretext", &config.pretext},      {"text", &config.text},
      {"fallback", &config.fallback},    {"callbackid", &config.callback_id},
      {"footer", &config.footer}};
  for (const auto& [name, field] : with_template) {
    *field = default_template(fmt::format("slack.default.{}", name));
  }
  read_texts(map, {{"channel", &config.channel},
                   {"username", &config.username},
                   {"color", &config.color},
                   {"title", &config.title},
                   {"title_link", &config.title_link},
                   {"pretext", &config.pretext},
                   {"text", &config.text},
                   {"fallback", &config.fallback},
                   {"callback_id", &config.callback_id},
                   {"icon_emoji", &config.icon_emoji},
                   {"icon_url", &config.icon_url},
                   {"image_url", &config.image_url},
                   {"thumb_url", &config.thumb_url},
                   {"footer", &config.footer}});
  map.read("link_names", config.link_names);
  map.read("short_fields", config.short_fields);
  map.read("mrkdwn_in", config.mrkdwn_in);
  read_slack_fields(map, config);
  read_slack_actions(map, config);
  map.unused("message_text", "has no effect: the text of the attachment says it all");
  map.unused("update_message", "has no effect: each notification is a message of its own");
  map.unused("timeout", "has no effect: an attempt ends with the group's interval");
  out.config = std::move(config);
}

void read_telegram(YamlMap& map, const GlobalSettings& global, Integration& out) {
  constexpr std::string_view kModes[] = {"", "Markdown", "MarkdownV2", "HTML"};
  TelegramConfig config;
  config.api_url = global.telegram_api_url;
  config.message = default_template("telegram.default.message");
  config.parse_mode = "HTML";
  read_url(map, "api_url", config.api_url);
  config.bot_token = read_secret(map, "bot_token");
  if (config.bot_token.empty()) config.bot_token = global.telegram_bot_token;
  map.read("chat_id", config.chat_id);
  map.read("message_thread_id", config.message_thread_id);
  map.read("message", config.message);
  map.choice("parse_mode", config.parse_mode, kModes);
  map.read("disable_notifications", config.disable_notifications);
  map.unused("chat_id_file", "has no effect: it is no secret; write chat_id");
  if (config.bot_token.empty()) {
    map.value().problem(
        "bot_token is missing: give it, bot_token_file or global telegram_bot_token");
  }
  if (config.chat_id == 0) map.value().problem("chat_id is missing");
  out.config = std::move(config);
}

void read_discord(YamlMap& map, const GlobalSettings&, Integration& out) {
  DiscordConfig config;
  read_webhook_url(map, config.webhook_url);
  config.title = default_template("discord.default.title");
  config.message = default_template("discord.default.message");
  read_texts(map, {{"title", &config.title},
                   {"message", &config.message},
                   {"content", &config.content},
                   {"username", &config.username},
                   {"avatar_url", &config.avatar_url}});
  out.config = std::move(config);
}

void read_teams(YamlMap& map, const GlobalSettings&, Integration& out) {
  TeamsConfig config;
  read_webhook_url(map, config.webhook_url);
  config.title = default_template("msteams.default.title");
  config.summary = default_template("msteams.default.summary");
  config.text = default_template("msteams.default.text");
  read_texts(map, {{"title", &config.title}, {"summary", &config.summary}, {"text", &config.text}});
  out.config = std::move(config);
}

void read_teams_workflow(YamlMap& map, const GlobalSettings&, Integration& out) {
  TeamsConfig config;
  config.workflow = true;
  read_webhook_url(map, config.webhook_url);
  config.title = default_template("msteamsv2.default.title");
  config.text = default_template("msteamsv2.default.text");
  read_texts(map, {{"title", &config.title}, {"text", &config.text}});
  out.config = std::move(config);
}

}  // namespace binnacle::watch::alerts
