#include "watch/alerts/api/alert_routes.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "watch/alerts/matcher_text.h"

namespace binnacle::watch::alerts {

using nlohmann::json;

Status register_alert_api(net::Router& router, const AlertApiTools& tools) {
  TRY(register_alertmanager_api(router, tools));
  return register_own_alert_api(router, tools);
}

Status add_alert_call(net::Router& router, AlertCall call) {
  net::Route route;
  route.method = call.method;
  route.group = call.role == Role::kIngest ? net::RouteGroup::kIngest : net::RouteGroup::kApi;
  route.pattern = std::move(call.pattern);
  route.role = call.role;
  route.handler = std::move(call.handler);
  route.limits.max_body_bytes = call.max_body_bytes;
  route.queue = call.queue;
  return router.add(std::move(route));
}

net::Response alertmanager_refusal(const Error& error) {
  return json_answer(error.message, http_status(error.code));
}

net::Response json_answer(const json& body, int status) {
  net::Response response =
      net::Response::json(status, body.dump(-1, ' ', false, json::error_handler_t::replace));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Result<bool> bool_param(const net::Params& params, std::string_view name, bool if_absent) {
  if (!params.has(name)) return if_absent;
  constexpr std::array<std::string_view, 5> kTrue{"true", "1", "t", "yes", "on"};
  constexpr std::array<std::string_view, 5> kFalse{"false", "0", "f", "no", "off"};
  const std::string_view text = params.get(name);
  if (std::ranges::find(kTrue, text) != kTrue.end()) return true;
  if (std::ranges::find(kFalse, text) != kFalse.end()) return false;
  return fail(Code::kInvalidArgument, fmt::format("{} ({}): write true or false", name, text));
}

Result<model::Matchers> matcher_params(const net::Params& params, std::string_view name) {
  model::Matchers all;
  for (const std::string_view text : params.all(name)) {
    auto matchers = parse_matchers(text);
    if (!matchers) return fail(std::move(matchers).error().with_context(name));
    std::ranges::move(*matchers, std::back_inserter(all));
  }
  return all;
}

Result<AlertFilter> alert_filter(const net::Params& params) {
  AlertFilter filter;
  TRY_ASSIGN(filter.matchers, matcher_params(params, "filter"));
  TRY_ASSIGN(filter.active, bool_param(params, "active", true));
  TRY_ASSIGN(filter.silenced, bool_param(params, "silenced", true));
  TRY_ASSIGN(filter.inhibited, bool_param(params, "inhibited", true));
  TRY_ASSIGN(filter.unprocessed, bool_param(params, "unprocessed", true));
  TRY_ASSIGN(filter.muted, bool_param(params, "muted", true));
  filter.receiver_regex = params.get("receiver");
  return filter;
}

Result<std::optional<std::set<std::string, std::less<>>>> fitting_receivers(
    const net::Params& params, const AlertConfig& config) {
  using Names = std::set<std::string, std::less<>>;
  TRY_ASSIGN(const model::Matchers matchers, matcher_params(params, "receiver_matchers"));
  if (matchers.empty()) return std::optional<Names>();
  Names names;
  for (const auto& [name, receiver] : config.receivers) {
    model::LabelsBuilder labels;
    for (const auto& [label, value] : receiver.labels) labels.set(label, value);
    if (model::matches_all(matchers, labels.build())) names.insert(name);
  }
  return std::optional(std::move(names));
}

Status note_action(const AlertApiTools& tools, const net::Request& request, std::string action,
                   std::string subject, const json& detail) {
  store::access::AuditRecord record;
  record.action = std::move(action);
  record.subject = std::move(subject);
  record.actor.name = request.identity.name;
  record.actor.key_id = request.identity.key_id;
  if (request.connection != nullptr) record.actor.address = request.connection->peer_address;
  record.detail = detail.dump(-1, ' ', false, json::error_handler_t::replace);
  return tools.audit.append(std::move(record));
}

}  // namespace binnacle::watch::alerts
