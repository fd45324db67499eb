#include "show/absent_parts_api.h"

#include <fmt/format.h>

#include "base/json_text.h"
#include "show/api_params.h"
#include "show/api_routes.h"

namespace binnacle::show {
namespace {

using net::Request;

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// Which pages of the rules are wanted; there is only the empty one.
Status check_pages(const net::Params& params) {
  const auto limit = params.get("group_limit");
  const auto token = params.get("group_next_token");
  if (limit.empty()) {
    if (token.empty()) return {};
    return invalid_param("group_next_token",
                         "group_limit needs to be present in order to paginate over the groups");
  }
  auto number = number_param(params, "group_limit");
  if (!number) return invalid_param("group_limit", "group_limit needs to be a valid number");
  if (*number <= 0) return invalid_param("group_limit", "group_limit needs to be greater than 0");
  if (token.empty()) return {};
  return invalid_param(
      "group_next_token",
      fmt::format("invalid group_next_token '{}'. were rule groups changed?", token));
}

bool is_boolean(std::string_view text) {
  for (const std::string_view one : {"1", "t", "true", "0", "f", "false"}) {
    if (text == one) return true;
  }
  return false;
}

Result<ApiData> rules(const Request& request) {
  const net::Params params = request.params();
  TRY(match_params(params));
  const std::string type = lower_case(params.get("type"));
  if (!type.empty() && type != "alert" && type != "record")
    return invalid_param("type", "not supported value " + in_quotes(type));
  const std::string exclude = lower_case(params.get("exclude_alerts"));
  if (!exclude.empty() && !is_boolean(exclude)) {
    return invalid_param("exclude_alerts",
                         "error converting exclude_alerts: strconv.ParseBool: "
                         "parsing " +
                             in_quotes(exclude) + ": invalid syntax");
  }
  TRY(check_pages(params));
  return std::string(R"({"groups":[]})");
}

Result<ApiData> alerts(const Request&) { return std::string(R"({"alerts":[]})"); }

Result<ApiData> alertmanagers(const Request&) {
  return std::string(R"({"activeAlertmanagers":[],"droppedAlertmanagers":[]})");
}

}  // namespace

Status register_absent_parts_api(net::Router& router) {
  using Call = Result<ApiData> (*)(const Request&);
  const std::pair<std::string_view, Call> calls[] = {
      {"/api/v1/rules", rules},
      {"/api/v1/alerts", alerts},
      {"/api/v1/alertmanagers", alertmanagers},
  };
  for (const auto& [pattern, call] : calls)
    TRY(add_api_call(router, {std::string(pattern), {net::Method::kGet}}, call));
  return {};
}

}  // namespace binnacle::show
