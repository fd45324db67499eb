// Receivers as the configuration describes them: kinds of Alertmanager with its keys and defaults,
// and `exec`. Templates stand as text; secrets as text or as the file that holds them. Plain
// values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "net/http_client_config.h"

namespace binnacle::watch::alerts {

// A secret or the file that it is read from at each use, so that a rotated one needs no reload.
struct Secret {
  std::string value;
  std::string file;
  bool empty() const { return value.empty() && file.empty(); }
};

struct WebhookConfig {
  Secret url;
  uint64_t max_alerts = 0;  // 0: all
  int64_t timeout_ms = 0;   // 0: the group's interval
};

struct SlackField {
  std::string title, value;
  std::optional<bool> is_short;
};

struct SlackAction {
  std::string type, text, url, style, name, value;
};

struct SlackConfig {
  Secret api_url;
  std::string channel, username, color, title, title_link, pretext, text, fallback, callback_id;
  std::string icon_emoji, icon_url, image_url, thumb_url, footer;
  bool link_names = false;
  bool short_fields = false;
  std::vector<SlackField> fields;
  std::vector<SlackAction> actions;
  std::vector<std::string> mrkdwn_in;
};

struct EmailConfig {
  std::string to, from, hello, smarthost;  // host:port
  std::string auth_username, auth_identity;
  Secret auth_password, auth_secret;
  bool require_tls = true;
  std::optional<bool> implicit_tls;  // `force_implicit_tls`; nullopt: on port 465
  std::string ca_file, server_name;
  bool insecure_skip_verify = false;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string html, text;
};

struct PagerDutyConfig {
  Secret routing_key, service_key;
  std::string url, client, client_url, description, severity, source, component, group, class_name;
  std::vector<std::pair<std::string, std::string>> details;
  struct Image {
    std::string src, alt, href;
  };
  struct Link {
    std::string href, text;
  };
  std::vector<Image> images;
  std::vector<Link> links;
};

struct TeamsConfig {      // msteams_configs and msteamsv2_configs
  bool workflow = false;  // v2: an adaptive card
  Secret webhook_url;
  std::string title, summary, text;
};

struct DiscordConfig {
  Secret webhook_url;
  std::string title, message, content, username, avatar_url;
};

struct TelegramConfig {
  std::string api_url;
  Secret bot_token;
  int64_t chat_id = 0;
  int64_t message_thread_id = 0;
  std::string message, parse_mode;
  bool disable_notifications = false;
};

// Extension (`x-binnacle`): a program that finds the notification as JSON on its standard input.
struct ExecConfig {
  std::vector<std::string> command;
  int64_t timeout_ms = 30'000;
};

struct Integration {
  std::string kind;  // "webhook", "slack", ...: the part before _configs
  size_t index = 0;  // among those of its kind in the receiver
  bool send_resolved = true;
  int64_t max_per_minute = 60;  // extension; more waits for its turn. 0, as of webhook and exec
                                // unless it is set: as many as there are
  net::HttpClientConfig http;   // `http_config`, or the global one
  std::variant<WebhookConfig, SlackConfig, EmailConfig, PagerDutyConfig, TeamsConfig, DiscordConfig,
               TelegramConfig, ExecConfig>
      config;
};

struct Receiver {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;  // for filters; `name` is one of them
  std::vector<Integration> integrations;
};

}  // namespace binnacle::watch::alerts
