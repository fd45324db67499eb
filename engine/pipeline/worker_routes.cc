#include "engine/pipeline/worker_routes.h"

#include <nlohmann/json.hpp>

namespace binnacle::engine {
namespace {

Status add(net::Router& router, std::string pattern, net::Handler handler) {
  return router.add({.pattern = std::move(pattern),
                     .group = net::RouteGroup::kProbes,
                     .role = Role::kPublic,
                     .handler = std::move(handler)});
}

net::Response health_response(const WorkerReport& report) {
  const WorkerReport::Health health = report.health();
  return net::Response::json(
      health.fit ? 200 : 503,
      nlohmann::json{{"status", health.status}, {"message", health.message}}.dump(
          -1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

Status add_worker_routes(net::Router& router, const WorkerReport& report, Registry& registry) {
  TRY(add(router, "/health", [&report](const net::Request&) { return health_response(report); }));
  TRY(add(router, "/distributed-stats", [&report](const net::Request&) {
    return net::Response::json(200, report.stats_json());
  }));
  return add(router, "/metrics", [&registry](const net::Request& request) {
    const TextFormat format = negotiate_text_format(request.header("Accept"));
    net::Response response = net::Response::text(200, registry.write(format));
    response.headers.set("Content-Type", content_type(format));
    return response;
  });
}

}  // namespace binnacle::engine
