// What the calls of both APIs share: parameters, answers, audit lines. Within this folder.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/router.h"
#include "watch/alerts/api/alert_api.h"

namespace binnacle::watch::alerts {

Status register_alertmanager_api(net::Router& router, const AlertApiTools& tools);
Status register_own_alert_api(net::Router& router, const AlertApiTools& tools);

struct AlertCall {
  net::Method method;
  std::string pattern;
  Role role;
  net::Handler handler;
  size_t max_body_bytes = size_t{64} << 10;
  net::RequestQueue* queue = nullptr;  // outlives the router
};
Status add_alert_call(net::Router& router, AlertCall call);

// Alertmanager's errors are a bare JSON string.
net::Response alertmanager_refusal(const Error& error);
net::Response json_answer(const nlohmann::json& body, int status = 200);

// Absent: `if_absent`. kInvalidArgument names the parameter.
Result<bool> bool_param(const net::Params& params, std::string_view name, bool if_absent);
// Every `name=` is a matcher or a list of them in braces.
Result<model::Matchers> matcher_params(const net::Params& params, std::string_view name);
// active, silenced, inhibited, unprocessed, muted, filter, receiver.
Result<AlertFilter> alert_filter(const net::Params& params);
// The names of the receivers whose labels fit receiver_matchers; nullopt: all do.
Result<std::optional<std::set<std::string, std::less<>>>> fitting_receivers(
    const net::Params& params, const AlertConfig& config);

// What an operator did is in the audit log before the answer goes out.
Status note_action(const AlertApiTools& tools, const net::Request& request, std::string action,
                   std::string subject, const nlohmann::json& detail);

}  // namespace binnacle::watch::alerts
