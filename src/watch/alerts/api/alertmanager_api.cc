#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "watch/alerts/api/alert_json.h"
#include "watch/alerts/api/alert_posts.h"
#include "watch/alerts/api/alert_routes.h"

namespace binnacle::watch::alerts {
namespace {

using net::Method;
using net::Request;
using net::Response;
using nlohmann::json;

constexpr std::string_view kPrefix = "/api/v2/";

Response answer(const Result<json>& body) {
  return body ? json_answer(*body) : alertmanager_refusal(body.error());
}

Response empty_answer() {
  Response response = Response::json(200, "");
  response.headers.set("Cache-Control", "no-store");
  return response;
}

class AlertmanagerApi {
 public:
  explicit AlertmanagerApi(const AlertApiTools& tools) : tools_(tools) {}

  Result<json> status() const {
    return json{
        {"cluster",
         {{"name", tools_.node_name},
          {"status", "ready"},
          {"peers", {{{"name", tools_.node_name}, {"address", tools_.address}}}}}},
        {"versionInfo",
         {{"version", tools_.version},
          {"revision", tools_.revision},
          {"branch", ""},
          {"buildUser", ""},
          {"buildDate", ""},
          {"goVersion", ""}}},
        {"config", {{"original", tools_.service.config()->original}}},
        {"uptime", api_time(tools_.started_ms)},
    };
  }

  Result<json> receivers(const net::Params& params) const {
    const auto config = tools_.service.config();
    TRY_ASSIGN(const auto fitting, fitting_receivers(params, *config));
    json list = json::array();
    for (const auto& [name, receiver] : config->receivers) {
      if (fitting && !fitting->contains(name)) continue;
      json one = {{"name", name}};
      for (const auto& [label, value] : receiver.labels) one["labels"][label] = value;
      list.push_back(std::move(one));
    }
    return list;
  }

  Result<json> alerts(const net::Params& params) const {
    TRY_ASSIGN(const AlertFilter filter, alert_filter(params));
    TRY_ASSIGN(const auto fitting, fitting_receivers(params, *tools_.service.config()));
    TRY_ASSIGN(const auto views, tools_.service.alerts(filter));
    json list = json::array();
    for (const AlertView& view : views) {
      const auto fits = [&](const std::string& name) { return fitting->contains(name); };
      if (!fitting || std::ranges::any_of(view.receivers, fits)) list.push_back(alert_json(view));
    }
    return list;
  }

  Result<json> groups(const net::Params& params) const {
    TRY_ASSIGN(const AlertFilter filter, alert_filter(params));
    TRY_ASSIGN(const auto fitting, fitting_receivers(params, *tools_.service.config()));
    TRY_ASSIGN(const auto groups, tools_.service.groups(filter));
    json list = json::array();
    for (const GroupView& group : groups) {
      if (!fitting || fitting->contains(group.receiver)) list.push_back(group_json(group));
    }
    return list;
  }

  Result<json> silences(const net::Params& params) const {
    TRY_ASSIGN(const model::Matchers filter, matcher_params(params, "filter"));
    TRY_ASSIGN(const bool active, bool_param(params, "active", true));
    TRY_ASSIGN(const bool expired, bool_param(params, "expired", true));
    TRY_ASSIGN(const bool pending, bool_param(params, "pending", true));
    const int64_t now_ms = tools_.clock.wall_ms();
    std::vector<Silence> silences = tools_.service.silences({});
    std::erase_if(silences, [&](const Silence& silence) {
      const SilenceState state = silence.state(now_ms);
      return (state == SilenceState::kActive && !active) ||
             (state == SilenceState::kExpired && !expired) ||
             (state == SilenceState::kPending && !pending) || !has_matchers(silence, filter);
    });
    sort_silences(silences, now_ms);
    json list = json::array();
    for (const Silence& silence : silences) list.push_back(silence_json(silence, now_ms));
    return list;
  }

  Result<json> silence(const Request& request) const {
    TRY_ASSIGN(const Silence silence,
               tools_.service.silence(std::string(request.path_param("id"))));
    return silence_json(silence, tools_.clock.wall_ms());
  }

  Result<json> post_silence(const Request& request) const {
    TRY_ASSIGN(Silence silence, read_silence(request.body, tools_.clock.wall_ms()));
    json detail = silence_json(silence, tools_.clock.wall_ms());
    const bool known = !silence.id.empty();
    TRY_ASSIGN(const std::string id, tools_.service.set_silence(std::move(silence)));
    if (known) detail["was"] = std::move(detail["id"]);
    detail.erase("id");
    TRY(note_action(tools_, request, "alerts.silenced", id, detail));
    return json{{"silenceID", id}};
  }

  Response expire_silence(const Request& request) const {
    const std::string id(request.path_param("id"));
    if (const Status done = tools_.service.expire_silence(id); !done)
      return alertmanager_refusal(done.error());
    if (const Status noted =
            note_action(tools_, request, "alerts.silence_expired", id, json::object());
        !noted)
      return alertmanager_refusal(noted.error());
    return empty_answer();
  }

 private:
  const AlertApiTools tools_;
};

using Reading = Result<json> (AlertmanagerApi::*)(const net::Params&) const;

}  // namespace

Status register_alertmanager_api(net::Router& router, const AlertApiTools& tools) {
  const AlertmanagerApi api(tools);
  const std::string prefix(kPrefix);
  const auto posts = std::make_shared<AlertPosts>(tools);  // shared: its route keeps it
  const std::pair<std::string_view, Reading> readings[] = {
      {"receivers", &AlertmanagerApi::receivers},
      {"alerts", &AlertmanagerApi::alerts},
      {"alerts/groups", &AlertmanagerApi::groups},
      {"silences", &AlertmanagerApi::silences},
  };
  for (const auto& [path, reading] : readings)
    TRY(add_alert_call(router, {Method::kGet, prefix + std::string(path), Role::kViewer,
                                [api, reading = reading](const Request& request) {
                                  return answer((api.*reading)(request.params()));
                                }}));
  TRY(add_alert_call(router, {Method::kGet, prefix + "status", Role::kViewer,
                              [api](const Request&) { return answer(api.status()); }}));
  TRY(add_alert_call(router, {Method::kGet, prefix + "silence/{id}", Role::kViewer,
                              [api](const Request& r) { return answer(api.silence(r)); }}));
  TRY(add_alert_call(router, {Method::kPost, prefix + "alerts", Role::kIngest,
                              [posts](const Request&) { return empty_answer(); },
                              tools.max_body_bytes, posts.get()}));
  TRY(add_alert_call(router, {Method::kPost, prefix + "silences", Role::kOperator,
                              [api](const Request& r) { return answer(api.post_silence(r)); }}));
  return add_alert_call(router, {Method::kDelete, prefix + "silence/{id}", Role::kOperator,
                                 [api](const Request& r) { return api.expire_silence(r); }});
}

}  // namespace binnacle::watch::alerts
