// PagerDuty's events: version 2 with a routing_key, version 1 with a service_key. One incident for
// a group: its key is the hash of the group's.
#include <nlohmann/json.hpp>

#include "watch/alerts/receivers/json_fields.h"
#include "watch/alerts/receivers/notification_text.h"
#include "watch/alerts/receivers/post_services.h"
#include "watch/alerts/receivers/text_expander.h"

namespace binnacle::watch::alerts {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxSummaryRunes = 1024;
constexpr size_t kMaxEventBytes = 512'000;

// What a template printed as a JSON list or object stays one.
ordered_json detail(std::string text) {
  if (text.starts_with("[") || text.starts_with("{")) {
    auto parsed = ordered_json::parse(text, nullptr, false);
    if (parsed.is_structured()) return parsed;
  }
  return text;
}

class PagerDuty final : public PostService {
 public:
  PagerDuty(PagerDutyConfig config, ServiceTools tools, std::string v1_url)
      : config_(std::move(config)), tools_(std::move(tools)), v1_url_(std::move(v1_url)) {}

  Result<Post> prepare(const Notification& notification) const override;
  SendOutcome judge(const net::Response& response) const override;

 private:
  bool version_1() const { return !config_.service_key.empty(); }
  ordered_json event_1(const Notification& told, TextExpander& expander, std::string key) const;
  ordered_json event_2(const Notification& told, TextExpander& expander, std::string key) const;
  ordered_json details(const Notification& told, TextExpander& expander) const;
  void add_media(ordered_json& event, TextExpander& expander) const;

  // Fixed after construction
  const PagerDutyConfig config_;
  const ServiceTools tools_;
  const std::string v1_url_;
};

ordered_json PagerDuty::details(const Notification& told, TextExpander& expander) const {
  ordered_json out = ordered_json::object();
  for (const auto& [name, value] : config_.details)
    out[name] = detail(expander.text("pagerduty details " + name, value));
  for (const auto& [name, value] : told.context) {
    if (!out.contains(name)) out[name] = value;
  }
  return out;
}

void PagerDuty::add_media(ordered_json& event, TextExpander& expander) const {
  for (const auto& image : config_.images) {
    std::string src = expander.text("pagerduty image src", image.src);
    if (src.empty()) continue;
    event["images"].push_back({{"src", std::move(src)},
                               {"alt", expander.text("pagerduty image alt", image.alt)},
                               {"href", expander.text("pagerduty image href", image.href)}});
  }
  for (const auto& link : config_.links) {
    std::string href = expander.text("pagerduty link href", link.href);
    if (href.empty()) continue;
    event["links"].push_back(
        {{"href", std::move(href)}, {"text", expander.text("pagerduty link text", link.text)}});
  }
}

ordered_json PagerDuty::event_1(const Notification& told, TextExpander& expander,
                                std::string key) const {
  ordered_json out = {{"service_key", std::move(key)}, {"incident_key", group_hash(told)}};
  out["event_type"] = told.firing() ? "trigger" : "resolve";
  put_if_any(
      out, "description",
      tools_.cut(expander.text("pagerduty description", config_.description), kMaxSummaryRunes));
  // Alertmanager sends these two empty in version 1.
  out["event_action"] = "";
  out["payload"] = nullptr;
  if (told.firing()) {
    put_if_any(out, "client", expander.text("pagerduty client", config_.client));
    put_if_any(out, "client_url", expander.text("pagerduty client_url", config_.client_url));
  }
  if (auto all = details(told, expander); !all.empty()) out["details"] = std::move(all);
  return out;
}

ordered_json PagerDuty::event_2(const Notification& told, TextExpander& expander,
                                std::string key) const {
  const std::string severity = config_.severity.empty() ? "error" : config_.severity;
  ordered_json payload = {
      {"summary",
       tools_.cut(expander.text("pagerduty description", config_.description), kMaxSummaryRunes)},
      {"source", expander.text("pagerduty source", config_.source)},
      {"severity", expander.text("pagerduty severity", severity)}};
  put_if_any(payload, "class", expander.text("pagerduty class", config_.class_name));
  put_if_any(payload, "component", expander.text("pagerduty component", config_.component));
  put_if_any(payload, "group", expander.text("pagerduty group", config_.group));
  if (auto all = details(told, expander); !all.empty()) payload["custom_details"] = std::move(all);
  ordered_json out = {{"routing_key", std::move(key)}, {"dedup_key", group_hash(told)}};
  out["event_action"] = told.firing() ? "trigger" : "resolve";
  out["payload"] = std::move(payload);
  put_if_any(out, "client", expander.text("pagerduty client", config_.client));
  put_if_any(out, "client_url", expander.text("pagerduty client_url", config_.client_url));
  add_media(out, expander);
  return out;
}

Result<Post> PagerDuty::prepare(const Notification& notification) const {
  const bool first = version_1();
  TextExpander expander(tools_.templates, notification);
  TRY_ASSIGN(std::string key,
             read_secret(tools_.files, first ? config_.service_key : config_.routing_key));
  key = expander.text("pagerduty key", key);
  TRY(expander.status());
  if (key.empty())
    return fail(Code::kInvalidArgument, "pagerduty: the key is empty after its template");
  Post out;
  out.url = first ? v1_url_ : config_.url;
  out.secrets.push_back(key);
  ordered_json event = first ? event_1(notification, expander, std::move(key))
                             : event_2(notification, expander, std::move(key));
  TRY(expander.status());
  out.body = json_text(event);
  if (out.body.size() <= kMaxEventBytes) return out;
  tools_.truncated.add();
  ordered_json& shortened = first ? event["details"] : event["payload"]["custom_details"];
  shortened = {{"error", "details left out: the event was larger than the 512 kB it may have"}};
  out.body = json_text(event);
  return out;
}

// Version 1 answers 403 to whoever sends too much.
SendOutcome PagerDuty::judge(const net::Response& response) const {
  SendOutcome out = judge_status(response);
  if (version_1() && response.status == 403) out.kind = SendOutcome::Kind::kRetry;
  return out;
}

}  // namespace

std::unique_ptr<PostService> make_pagerduty(PagerDutyConfig config, ServiceTools tools,
                                            std::string v1_url) {
  return std::make_unique<PagerDuty>(std::move(config), std::move(tools), std::move(v1_url));
}

}  // namespace binnacle::watch::alerts
