#include "watch/alerts/config_original.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "base/yaml_text.h"
#include "watch/alerts/alert_extensions.h"
#include "watch/alerts/global_yaml.h"

namespace binnacle::watch::alerts {
namespace {

// Keys that hold a secret wherever they stand in `global` and `receivers`; below them, too.
constexpr std::string_view kSecretKeys[] = {"api_key",
                                            "api_secret",
                                            "app_token",
                                            "auth_password",
                                            "auth_secret",
                                            "bearer_token",
                                            "bot_token",
                                            "client_secret",
                                            "credentials",
                                            "password",
                                            "proxy_connect_header",
                                            "routing_key",
                                            "secrets",
                                            "secret_key",
                                            "service_key",
                                            "token",
                                            "token_id",
                                            "user_key",
                                            "webhook_url",
                                            "alert_source_token",
                                            "slack_api_url",
                                            "slack_app_token",
                                            "smtp_auth_password",
                                            "smtp_auth_secret",
                                            "opsgenie_api_key",
                                            "victorops_api_key",
                                            "wechat_api_secret",
                                            "telegram_bot_token",
                                            "rocketchat_token",
                                            "rocketchat_token_id",
                                            "mattermost_webhook_url"};

bool is_secret_key(std::string_view key) {
  return std::ranges::find(kSecretKeys, key) != std::end(kSecretKeys);
}

YamlNodePtr scalar(std::string text) {
  auto node = std::make_shared<YamlNode>();
  node->kind = YamlNode::Kind::kScalar;
  node->quoted = true;
  node->text = std::move(text);
  return node;
}

// A copy with every text replaced by `change(text)`.
template <typename Change>
YamlNodePtr with_texts(const YamlNode& node, const Change& change) {
  auto out = std::make_shared<YamlNode>(node);
  if (node.kind == YamlNode::Kind::kScalar) out->text = change(node.text);
  for (YamlNodePtr& item : out->items) item = with_texts(*item, change);
  for (YamlEntry& entry : out->entries) entry.value = with_texts(*entry.value, change);
  return out;
}

std::string hidden(const std::string& text) {
  return text.empty() ? text : std::string(kSecretPlaceholder);
}

size_t authority_of(std::string_view url) {
  const size_t scheme = url.find("://");
  return scheme == std::string_view::npos ? std::string_view::npos : scheme + 3;
}

// What stands between // and @ of an address.
std::string without_user(const std::string& text) {
  const size_t begin = authority_of(text);
  if (begin == std::string::npos) return text;
  const size_t end = std::min(text.find_first_of("/?# ", begin), text.size());
  const size_t at = text.rfind('@', end);
  if (at == std::string::npos || at < begin || at >= end) return text;
  return text.substr(0, begin) + "xxxxx" + text.substr(at);
}

// The host alone, for an address whose path is a key.
std::string only_host(const std::string& raw) {
  const std::string text = without_user(raw);
  const size_t begin = authority_of(text);
  if (begin == std::string::npos) return hidden(text);
  const size_t end = text.find_first_of("/?#", begin);
  if (end == std::string::npos || end + 1 == text.size()) return text;
  return fmt::format("{}/{}", text.substr(0, end), kSecretPlaceholder);
}

YamlNodePtr redacted(const YamlNode& node, std::string_view list);

// `list` is the _configs list that the entry stands in.
YamlNodePtr redacted_entry(const YamlEntry& entry, std::string_view list) {
  const bool slack_url = list == "slack_configs" && entry.key == "api_url";
  if (slack_url || is_secret_key(entry.key)) return with_texts(*entry.value, hidden);
  if (list == "webhook_configs" && entry.key == "url") return with_texts(*entry.value, only_host);
  return redacted(*entry.value, entry.key.ends_with("_configs") ? entry.key : list);
}

YamlNodePtr redacted(const YamlNode& node, std::string_view list) {
  auto out = std::make_shared<YamlNode>(node);
  if (node.kind == YamlNode::Kind::kScalar) out->text = without_user(node.text);
  for (YamlNodePtr& item : out->items) item = redacted(*item, list);
  for (YamlEntry& entry : out->entries) {
    // The private key of tls_config; elsewhere `key` is a name.
    const bool private_key = entry.key == "key" && entry.value->text.starts_with("-----BEGIN");
    entry.value =
        private_key ? scalar(std::string(kSecretPlaceholder)) : redacted_entry(entry, list);
  }
  return out;
}

YamlNodePtr without_extensions(const YamlNode& node) {
  auto out = std::make_shared<YamlNode>(node);
  std::erase_if(out->entries, [](const YamlEntry& entry) { return entry.key == kExtensionKey; });
  for (YamlNodePtr& item : out->items) item = without_extensions(*item);
  for (YamlEntry& entry : out->entries) entry.value = without_extensions(*entry.value);
  return out;
}

}  // namespace

std::string original_without_secrets(const YamlNode& first, const YamlNode& second) {
  auto shown = std::make_shared<YamlNode>(*without_extensions(first));
  for (YamlEntry& entry : shown->entries) {
    const bool has_secrets = entry.key == "global" || entry.key == "receivers";
    if (has_secrets) entry.value = redacted(*entry.value, "");
  }
  std::string out = yaml_text(*shown);
  if (second.kind == YamlNode::Kind::kMap) out += "---\n" + yaml_text(second);
  return out;
}

}  // namespace binnacle::watch::alerts
