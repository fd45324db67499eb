// The `global` section of alertmanager.yml: what receivers take over where they do not say. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/yaml_reader.h"
#include "net/http_client_config.h"
#include "watch/alerts/receiver_config.h"

namespace binnacle::watch::alerts {

// What AlertConfig::original has in place of a secret.
inline constexpr std::string_view kSecretPlaceholder = "<secret>";

struct GlobalSettings {
  int64_t resolve_timeout_ms = 300'000;
  net::HttpClientConfig http;
  EmailConfig email;  // what smtp_* says
  Secret slack_api_url;
  Secret slack_app_token;
  std::string slack_app_url = "https://slack.com/api/chat.postMessage";
  std::string pagerduty_url = "https://events.pagerduty.com/v2/enqueue";
  std::string telegram_api_url = "https://api.telegram.org";
  Secret telegram_bot_token;
};

void read_global(const YamlValue& section, GlobalSettings& out);

// A secret by value or by file; both are a problem.
Secret read_secret(YamlMap& map, std::string_view name);
// A secret that is an address.
Secret read_secret_url(YamlMap& map, std::string_view name);
void read_url(YamlMap& map, std::string_view name, std::string& out);

// "host:port"
void read_smarthost(YamlMap& map, std::string_view name, std::string& out);
// A `tls_config` of SMTP.
void read_smtp_tls(YamlMap& map, std::string_view name, EmailConfig& out);

}  // namespace binnacle::watch::alerts
