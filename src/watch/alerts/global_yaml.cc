#include "watch/alerts/global_yaml.h"

#include <fmt/format.h>

#include "net/http_config_yaml.h"

namespace binnacle::watch::alerts {
namespace {

void read_smtp(YamlMap& map, EmailConfig& email) {
  email.hello = "localhost";
  map.read("smtp_from", email.from);
  map.read("smtp_hello", email.hello);
  read_smarthost(map, "smtp_smarthost", email.smarthost);
  map.read("smtp_auth_username", email.auth_username);
  map.read("smtp_auth_identity", email.auth_identity);
  email.auth_password = read_secret(map, "smtp_auth_password");
  email.auth_secret = read_secret(map, "smtp_auth_secret");
  map.read("smtp_require_tls", email.require_tls);
  if (const auto field = map.field("smtp_force_implicit_tls"))
    email.implicit_tls = field->boolean();
  read_smtp_tls(map, "smtp_tls_config", email);
}

void name_unused(YamlMap& map) {
  for (const char* name :
       {"opsgenie_api_url", "opsgenie_api_key", "opsgenie_api_key_file", "victorops_api_url",
        "victorops_api_key", "victorops_api_key_file", "wechat_api_url", "wechat_api_secret",
        "wechat_api_secret_file", "wechat_api_corp_id", "webex_api_url", "jira_api_url",
        "rocketchat_api_url", "rocketchat_token", "rocketchat_token_file", "rocketchat_token_id",
        "rocketchat_token_id_file", "mattermost_webhook_url", "mattermost_webhook_url_file"}) {
    map.unused(name, "has no effect: receivers of this kind are not here");
  }
}

}  // namespace

Secret read_secret(YamlMap& map, std::string_view name) {
  Secret out;
  const std::string file = fmt::format("{}_file", name);
  map.read(name, out.value);
  map.file(file, out.file);
  if (!out.value.empty() && !out.file.empty()) {
    map.value().problem(fmt::format("{} and {} are both given: keep one", name, file));
  }
  return out;
}

Secret read_secret_url(YamlMap& map, std::string_view name) {
  Secret out = read_secret(map, name);
  if (out.value.empty() || out.value.find("{{") != std::string::npos) return out;
  if (out.value == kSecretPlaceholder) {
    map.field(name)->warn("this stands where a secret was: write the secret itself");
  } else {
    net::check_url(*map.field(name), out.value);
  }
  return out;
}

void read_url(YamlMap& map, std::string_view name, std::string& out) {
  const auto field = map.field(name);
  if (!field) return;
  map.read(name, out);
  net::check_url(*field, out);
}

void read_smarthost(YamlMap& map, std::string_view name, std::string& out) {
  const auto field = map.field(name);
  if (!field) return;
  auto text = field->text();
  if (!text || text->empty()) return;
  const size_t colon = text->rfind(':');
  const bool bare_ipv6 = text->find(':') != colon && !text->starts_with('[');
  if (colon == std::string::npos || colon + 1 == text->size() || bare_ipv6) {
    return field->problem("no address with a port", *text, "write it like mail.example.org:587");
  }
  out = std::move(*text);
}

void read_smtp_tls(YamlMap& map, std::string_view name, EmailConfig& out) {
  const auto field = map.field(name);
  if (!field) return;
  const net::TlsClientOptions tls = net::read_tls_config(*field);
  out.ca_file = tls.ca_file;
  out.server_name = tls.server_name;
  out.insecure_skip_verify = tls.insecure_skip_verify;
  if (!tls.certificate_file.empty() || !tls.certificate_pem.empty()) {
    field->warn(
        "certificates of our own have no effect: mail servers know us by user and password");
  }
  if (!tls.ca_pem.empty())
    field->problem("ca is not read for mail: write it to a file and name it in ca_file");
}

void read_global(const YamlValue& section, GlobalSettings& out) {
  YamlMap map(section);
  map.duration("resolve_timeout", out.resolve_timeout_ms);
  if (const auto http = map.field("http_config")) {
    YamlMap fields(*http);
    out.http = net::read_http_config(fields);
    fields.finish();
  }
  read_smtp(map, out.email);
  out.slack_api_url = read_secret_url(map, "slack_api_url");
  out.slack_app_token = read_secret(map, "slack_app_token");
  read_url(map, "slack_app_url", out.slack_app_url);
  if (!out.slack_api_url.empty() && !out.slack_app_token.empty() &&
      out.slack_api_url.value != out.slack_app_url) {
    section.problem("slack_api_url and slack_app_token are both given: keep one");
  }
  read_url(map, "pagerduty_url", out.pagerduty_url);
  read_url(map, "telegram_api_url", out.telegram_api_url);
  out.telegram_bot_token = read_secret(map, "telegram_bot_token");
  name_unused(map);
  map.finish();
}

}  // namespace binnacle::watch::alerts
