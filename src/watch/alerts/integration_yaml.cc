#include "watch/alerts/integration_yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace binnacle::watch::alerts {
namespace {

constexpr IntegrationKind kKinds[] = {
    {"webhook", true, true, read_webhook},     {"email", false, false, read_email},
    {"pagerduty", true, true, read_pagerduty}, {"slack", false, true, read_slack},
    {"telegram", true, true, read_telegram},   {"discord", true, true, read_discord},
    {"msteams", true, true, read_teams},       {"msteamsv2", true, true, read_teams_workflow}};

constexpr std::string_view kMissing[] = {"opsgenie",   "victorops", "pushover", "wechat",
                                         "sns",        "webex",     "jira",     "rocketchat",
                                         "mattermost", "incidentio"};

// "content-type" as "Content-Type": how names of header fields are written, whatever the file says.
std::string canonical_header(std::string name) {
  bool start = true;
  for (char& c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) c = static_cast<char>(start ? c & ~0x20 : c | 0x20);
    start = c == '-';
  }
  return name;
}

void read_headers(YamlMap& map, EmailConfig& config) {
  const auto field = map.field("headers");
  if (!field) return;
  std::set<std::string> seen;
  for (auto& [name, value] : field->string_map()) {
    std::string canonical = canonical_header(name);
    if (!seen.insert(canonical).second) {
      field->problem("this header stands twice", canonical, "keep one, whatever its case");
    } else {
      config.headers.emplace_back(std::move(canonical), std::move(value));
    }
  }
}

void read_details(YamlMap& map, PagerDutyConfig& config) {
  if (const auto field = map.field("details")) {
    YamlMap details(*field);
    for (const std::string& name : details.names()) {
      const auto value = details.take(name);
      if (auto text = value->text()) config.details.emplace_back(name, std::move(*text));
    }
  }
  constexpr std::pair<const char*, const char*> kDefaults[] = {
      {"firing", R"({{ template "pagerduty.default.instances" .Alerts.Firing }})"},
      {"resolved", R"({{ template "pagerduty.default.instances" .Alerts.Resolved }})"},
      {"num_firing", "{{ .Alerts.Firing | len }}"},
      {"num_resolved", "{{ .Alerts.Resolved | len }}"}};
  for (const auto& [name, value] : kDefaults) {
    const bool given = std::ranges::any_of(
        config.details,
        [name = std::string_view(name)](const auto& pair) { return pair.first == name; });
    if (!given) config.details.emplace_back(name, value);
  }
}

void read_media(YamlMap& map, PagerDutyConfig& config) {
  if (const auto list = map.field("images")) {
    for (const YamlValue& item : list->items()) {
      YamlMap fields(item);
      auto& image = config.images.emplace_back();
      fields.read("src", image.src);
      fields.read("alt", image.alt);
      fields.read("href", image.href);
      fields.finish();
    }
  }
  if (const auto list = map.field("links")) {
    for (const YamlValue& item : list->items()) {
      YamlMap fields(item);
      auto& link = config.links.emplace_back();
      fields.read("href", link.href);
      fields.read("text", link.text);
      fields.finish();
    }
  }
}

}  // namespace

std::span<const IntegrationKind> integration_kinds() { return kKinds; }
std::span<const std::string_view> missing_integration_kinds() { return kMissing; }

void read_webhook(YamlMap& map, const GlobalSettings&, Integration& out) {
  WebhookConfig config;
  config.url = read_secret_url(map, "url");
  map.read("max_alerts", config.max_alerts);
  map.duration("timeout", config.timeout_ms);
  map.unused("payload", "has no effect: webhooks are told in Alertmanager's own payload");
  if (config.url.empty()) map.value().problem("url is missing: give it or url_file");
  out.max_per_minute = 0;  // read by programs: one that is late would be taken for lost
  out.config = std::move(config);
}

void read_email(YamlMap& map, const GlobalSettings& global, Integration& out) {
  EmailConfig config = global.email;
  config.html = R"({{ template "email.default.html" . }})";
  map.read("to", config.to);
  map.read("from", config.from);
  map.read("hello", config.hello);
  read_smarthost(map, "smarthost", config.smarthost);
  map.read("auth_username", config.auth_username);
  map.read("auth_identity", config.auth_identity);
  if (const Secret own = read_secret(map, "auth_password"); !own.empty())
    config.auth_password = own;
  if (const Secret own = read_secret(map, "auth_secret"); !own.empty()) config.auth_secret = own;
  map.read("require_tls", config.require_tls);
  if (const auto field = map.field("force_implicit_tls")) config.implicit_tls = field->boolean();
  read_smtp_tls(map, "tls_config", config);
  read_headers(map, config);
  map.read("html", config.html);
  map.read("text", config.text);
  map.unused("threading", "has no effect: the mails of one group always form one thread");
  if (config.to.empty()) map.value().problem("to is missing: write an address");
  if (config.from.empty()) map.value().problem("from is missing: give it or global smtp_from");
  if (config.smarthost.empty()) {
    map.value().problem("smarthost is missing: give it or global smtp_smarthost");
  }
  out.config = std::move(config);
}

void read_pagerduty(YamlMap& map, const GlobalSettings& global, Integration& out) {
  PagerDutyConfig config;
  config.url = global.pagerduty_url;
  config.client = R"({{ template "pagerduty.default.client" . }})";
  config.client_url = R"({{ template "pagerduty.default.clientURL" . }})";
  config.description = R"({{ template "pagerduty.default.description" .}})";
  config.routing_key = read_secret(map, "routing_key");
  config.service_key = read_secret(map, "service_key");
  read_url(map, "url", config.url);
  const std::pair<const char*, std::string*> fields[] = {{"client", &config.client},
                                                         {"client_url", &config.client_url},
                                                         {"description", &config.description},
                                                         {"severity", &config.severity},
                                                         {"source", &config.source},
                                                         {"component", &config.component},
                                                         {"group", &config.group},
                                                         {"class", &config.class_name}};
  for (const auto& [name, field] : fields) map.read(name, *field);
  if (config.source.empty()) config.source = config.client;
  read_details(map, config);
  read_media(map, config);
  map.unused("timeout", "has no effect: an attempt ends with the group's interval");
  if (config.routing_key.empty() && config.service_key.empty()) {
    map.value().problem("routing_key is missing: give it, routing_key_file or a service_key");
  }
  out.config = std::move(config);
}

}  // namespace binnacle::watch::alerts
