#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "base/config_units.h"
#include "base/json_parse.h"
#include "base/time_text.h"
#include "watch/alerts/api/alert_json.h"
#include "watch/alerts/api/alert_routes.h"
#include "watch/alerts/matcher_text.h"

namespace binnacle::watch::alerts {
namespace {

using net::Method;
using net::Request;
using net::Response;
using nlohmann::json;

constexpr std::string_view kPrefix = "/api/binnacle/v1/alerts";
constexpr size_t kMaxHistory = 1000;

Response answer(const Result<json>& body) {
  return body ? json_answer(*body) : Response::error(body.error());
}

json acknowledgement_json(const Acknowledgement& acknowledgement) {
  json out = {{"by", acknowledgement.by},
              {"note", acknowledgement.note},
              {"at", api_time(acknowledgement.at_ms)}};
  if (acknowledgement.expires_at_ms != 0)
    out["expiresAt"] = api_time(acknowledgement.expires_at_ms);
  return out;
}

// As Alertmanager shows it, and what it does not know.
json whole_alert_json(const AlertView& view) {
  json out = alert_json(view);
  out["flapping"] = view.flapping;
  out["acknowledgement"] =
      view.acknowledgement ? acknowledgement_json(*view.acknowledgement) : json();
  return out;
}

json entry_json(const AlertHistoryEntry& entry) {
  json out = {{"id", entry.id},
              {"time", api_time(entry.time_ms)},
              {"kind", entry.kind},
              {"labels", labels_json(entry.labels)},
              {"text", entry.text}};
  if (entry.fingerprint != 0) out["fingerprint"] = fingerprint_text(entry.fingerprint);
  if (!entry.group_key.empty()) out["groupKey"] = entry.group_key;
  if (!entry.receiver.empty()) out["receiver"] = entry.receiver;
  return out;
}

json escalation_json(const GroupView& group) {
  const bool acknowledged = std::ranges::all_of(
      group.alerts, [](const AlertView& view) { return view.acknowledgement.has_value(); });
  return {
      {"key", group.key},
      {"receiver", group.receiver},
      {"policy", group.escalation},
      {"acknowledged", acknowledged},
      {"taken", group.escalated},
      {"next", group.next_escalation_ms == 0 ? json() : json(api_time(group.next_escalation_ms))}};
}

Result<int64_t> number_param(const net::Params& params, std::string_view name, int64_t if_absent) {
  if (!params.has(name)) return if_absent;
  const std::string_view text = params.get(name);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    return fail(Code::kInvalidArgument, fmt::format("{} ({}): write a number", name, text));
  return value;
}

Result<int64_t> time_param(const net::Params& params, std::string_view name) {
  if (!params.has(name)) return 0;
  auto time = parse_time_ms(params.get(name));
  if (!time) return fail(std::move(time).error().with_context(name));
  return *time;
}

Result<json> read_object(std::string_view body) {
  if (body.empty()) return json::object();
  json value = parse_json(body);
  if (!value.is_object()) return fail(Code::kInvalidArgument, "the body is not a JSON object");
  return value;
}

Result<std::string> text_of(const json& object, std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::string();
  if (!found->is_string())
    return fail(Code::kInvalidArgument, fmt::format("{}: write a text", name));
  return found->get<std::string>();
}

// `for: 2h` or `until: 2026-01-02T03:04:05Z`; neither: 0, as long as the alert fires.
Result<int64_t> expiry_of(const json& body, int64_t now_ms) {
  TRY_ASSIGN(const std::string length, text_of(body, "for"));
  TRY_ASSIGN(const std::string until, text_of(body, "until"));
  if (!length.empty() && !until.empty())
    return fail(Code::kInvalidArgument, "for and until: give one of them");
  if (!length.empty()) {
    auto length_ms = parse_duration_ms(length);
    if (!length_ms) return fail(std::move(length_ms).error().with_context("for"));
    return now_ms + *length_ms;
  }
  if (until.empty()) return 0;
  auto until_ms = parse_time_ms(until);
  if (!until_ms) return fail(std::move(until_ms).error().with_context("until"));
  if (*until_ms <= now_ms)
    return fail(Code::kInvalidArgument, fmt::format("until ({}): lies in the past", until));
  return *until_ms;
}

class OwnAlertApi {
 public:
  explicit OwnAlertApi(const AlertApiTools& tools) : tools_(tools) {}

  Result<json> alerts(const Request& request) const {
    TRY_ASSIGN(const AlertFilter filter, alert_filter(request.params()));
    TRY_ASSIGN(const auto views, tools_.service.alerts(filter));
    json list = json::array();
    for (const AlertView& view : views) list.push_back(whole_alert_json(view));
    return json{{"alerts", std::move(list)}};
  }

  Result<json> groups(const Request& request) const {
    TRY_ASSIGN(const AlertFilter filter, alert_filter(request.params()));
    TRY_ASSIGN(const auto groups, tools_.service.groups(filter));
    json list = json::array();
    for (const GroupView& group : groups) {
      json alerts = json::array();
      for (const AlertView& view : group.alerts) alerts.push_back(whole_alert_json(view));
      list.push_back({{"key", group.key},
                      {"labels", labels_json(group.labels)},
                      {"routeLabels", labels_json(group.route_labels)},
                      {"receiver", group.receiver},
                      {"nextFlush", api_time(group.next_flush_ms)},
                      {"alerts", std::move(alerts)}});
    }
    return json{{"groups", std::move(list)}};
  }

  Result<json> alert(const Request& request) const {
    TRY_ASSIGN(const AlertView view, find(request));
    return whole_alert_json(view);
  }

  Result<json> acknowledge(const Request& request) const {
    TRY_ASSIGN(const AlertView view, find(request));
    TRY_ASSIGN(const json body, read_object(request.body));
    Acknowledgement acknowledgement;
    acknowledgement.fingerprint = view.fingerprint;
    acknowledgement.labels = view.alert.labels;
    acknowledgement.at_ms = tools_.clock.wall_ms();
    TRY_ASSIGN(acknowledgement.by, text_of(body, "by"));
    TRY_ASSIGN(acknowledgement.note, text_of(body, "note"));
    TRY_ASSIGN(acknowledgement.expires_at_ms, expiry_of(body, acknowledgement.at_ms));
    if (acknowledgement.by.empty()) acknowledgement.by = caller(request);
    const json detail = acknowledgement_json(acknowledgement);
    TRY(tools_.service.acknowledge(std::move(acknowledgement)));
    TRY(note_action(tools_, request, "alerts.acknowledged", view.alert.labels.to_string(), detail));
    return alert(request);
  }

  Result<json> unacknowledge(const Request& request) const {
    TRY_ASSIGN(const AlertView view, find(request));
    TRY(tools_.service.unacknowledge(view.fingerprint, caller(request)));
    TRY(note_action(tools_, request, "alerts.unacknowledged", view.alert.labels.to_string(),
                    json::object()));
    return alert(request);
  }

  Result<json> history(const Request& request) const {
    const net::Params params = request.params();
    AlertHistoryQuery query;
    TRY_ASSIGN(query.matchers, matcher_params(params, "filter"));
    query.kind = params.get("kind");
    query.receiver = params.get("receiver");
    TRY_ASSIGN(query.from_ms, time_param(params, "from"));
    TRY_ASSIGN(query.to_ms, time_param(params, "to"));
    TRY_ASSIGN(query.before_id, number_param(params, "before", 0));
    TRY_ASSIGN(const int64_t limit, number_param(params, "limit", 100));
    query.limit = std::clamp<size_t>(static_cast<size_t>(limit), 1, kMaxHistory);
    TRY_ASSIGN(const auto entries, tools_.service.history(query));
    json list = json::array();
    for (const AlertHistoryEntry& entry : entries) list.push_back(entry_json(entry));
    return json{{"entries", std::move(list)}};
  }

  Result<json> maintenance(const Request&) const {
    const int64_t now_ms = tools_.clock.wall_ms();
    json list = json::array();
    for (const MaintenanceWindow& window : tools_.service.config()->maintenance) {
      const bool holds = std::ranges::any_of(window.intervals, [&](const TimeInterval& interval) {
        return interval.contains(now_ms);
      });
      list.push_back({{"name", window.name},
                      {"matchers", format_matchers(window.matchers)},
                      {"comment", window.comment},
                      {"active", holds}});
    }
    return json{{"windows", std::move(list)}};
  }

  Result<json> escalations(const Request&) const {
    json policies = json::array();
    for (const auto& [name, steps] : tools_.service.config()->escalations) {
      json list = json::array();
      for (const EscalationStep& step : steps)
        list.push_back({{"after", format_duration_ms(step.after_ms)}, {"receiver", step.receiver}});
      policies.push_back({{"name", name}, {"steps", std::move(list)}});
    }
    TRY_ASSIGN(const auto groups, tools_.service.groups(AlertFilter()));
    json escalating = json::array();
    for (const GroupView& group : groups) {
      if (!group.escalation.empty()) escalating.push_back(escalation_json(group));
    }
    return json{{"policies", std::move(policies)}, {"groups", std::move(escalating)}};
  }

  Result<json> receivers(const Request&) const {
    json list = json::array();
    for (const auto& [name, receiver] : tools_.service.config()->receivers) {
      json integrations = json::array();
      for (const Integration& integration : receiver.integrations)
        integrations.push_back({{"kind", integration.kind},
                                {"index", integration.index},
                                {"sendResolved", integration.send_resolved}});
      list.push_back({{"name", name}, {"integrations", std::move(integrations)}});
    }
    return json{{"receivers", std::move(list)}};
  }

  Result<json> test_receiver(const Request& request) const {
    const std::string name(request.path_param("name"));
    TRY_ASSIGN(const auto results, tools_.service.test_receiver(name));
    json list = json::array();
    for (const auto& result : results)
      list.push_back({{"integration", result.integration},
                      {"sent", result.error.empty()},
                      {"error", result.error}});
    const json body = {{"results", std::move(list)}};
    TRY(note_action(tools_, request, "alerts.receiver_tested", name, body));
    return body;
  }

 private:
  static std::string caller(const Request& request) {
    return request.identity.name.empty() ? "anonymous" : request.identity.name;
  }

  Result<AlertView> find(const Request& request) const {
    const auto text = request.path_param("fingerprint");
    TRY_ASSIGN(const uint64_t fingerprint, read_fingerprint(text));
    TRY_ASSIGN(auto views, tools_.service.alerts(AlertFilter()));
    const auto found = std::ranges::find(views, fingerprint, &AlertView::fingerprint);
    if (found == views.end())
      return fail(Code::kNotFound, fmt::format("alert {}: none is active under it", text));
    return std::move(*found);
  }

  const AlertApiTools tools_;
};

}  // namespace

Status register_own_alert_api(net::Router& router, const AlertApiTools& tools) {
  const OwnAlertApi api(tools);
  struct Call {
    Method method;
    std::string_view path;
    Role role;
    Result<json> (OwnAlertApi::*call)(const Request&) const;
  };
  const Call calls[] = {
      {Method::kGet, "", Role::kViewer, &OwnAlertApi::alerts},
      {Method::kGet, "/groups", Role::kViewer, &OwnAlertApi::groups},
      {Method::kGet, "/history", Role::kViewer, &OwnAlertApi::history},
      {Method::kGet, "/maintenance", Role::kViewer, &OwnAlertApi::maintenance},
      {Method::kGet, "/escalations", Role::kViewer, &OwnAlertApi::escalations},
      {Method::kGet, "/receivers", Role::kViewer, &OwnAlertApi::receivers},
      {Method::kPost, "/receivers/{name}/test", Role::kOperator, &OwnAlertApi::test_receiver},
      {Method::kGet, "/{fingerprint}", Role::kViewer, &OwnAlertApi::alert},
      {Method::kPost, "/{fingerprint}/acknowledgement", Role::kOperator, &OwnAlertApi::acknowledge},
      {Method::kDelete, "/{fingerprint}/acknowledgement", Role::kOperator,
       &OwnAlertApi::unacknowledge},
  };
  for (const Call& call : calls)
    TRY(add_alert_call(router, {call.method, std::string(kPrefix) + std::string(call.path),
                                call.role, [api, call = call.call](const Request& request) {
                                  return answer((api.*call)(request));
                                }}));
  return {};
}

}  // namespace binnacle::watch::alerts
