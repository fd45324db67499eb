#include "app/control_routes.h"

#include <nlohmann/json.hpp>

namespace binnacle::app {
namespace {

using nlohmann::json;

net::Response reload(ConfigReloader& reloader) {
  const auto report = reloader.reload();
  return report ? net::Response::json(200, reload_report_json(*report))
                : net::Response::error(report.error());
}

net::Response config(const ConfigReloader& reloader, const net::Request& request) {
  const auto current = reloader.current();
  if (request.params().get("format") == "json")
    return net::Response::json(200, current->print_json(true));
  net::Response response = net::Response::text(200, current->print(true));
  response.headers.set("Content-Type", "application/yaml");
  return response;
}

}  // namespace

std::string reload_report_json(const ReloadReport& report) {
  json changed = json::array();
  for (const ConfigChange& change : report.changed) {
    changed.push_back({{"path", change.path},
                       {"old", change.old_text ? json(*change.old_text) : json()},
                       {"new", change.new_text ? json(*change.new_text) : json()}});
  }
  return json{{"changed", std::move(changed)}, {"needs_restart", report.needs_restart}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

Status register_control_routes(net::Router& router, ConfigReloader& reloader) {
  net::Route reload_route;
  reload_route.method = net::Method::kPost;
  reload_route.pattern = "/-/reload";
  reload_route.role = Role::kAdmin;
  reload_route.handler = [&reloader](const net::Request&) { return reload(reloader); };
  TRY(router.add(std::move(reload_route)));

  net::Route config_route;
  config_route.pattern = "/api/binnacle/v1/config";
  config_route.role = Role::kAdmin;
  config_route.handler = [&reloader](const net::Request& request) {
    return config(reloader, request);
  };
  return router.add(std::move(config_route));
}

}  // namespace binnacle::app
