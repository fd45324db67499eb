#include "engine/train/train_routes.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace binnacle::engine {
namespace {

net::Response health_response(const TrainHealth& health) {
  const char* status = health.stalled ? "failed" : health.training ? "healthy" : "starting";
  nlohmann::json body{{"status", status}, {"step", health.step}, {"steps", health.steps}};
  if (health.stalled) body["stalled_seconds"] = health.stalled_seconds;
  return net::Response::json(health.stalled ? 503 : 200, body.dump());
}

Status add(net::Router& router, const char* pattern, net::RunOn run_on, net::Handler handler) {
  net::Route route;
  route.pattern = pattern;
  route.group = net::RouteGroup::kProbes;
  route.role = Role::kPublic;
  route.run_on = run_on;
  route.handler = std::move(handler);
  return router.add(std::move(route));
}

}  // namespace

Status add_train_routes(net::Router& router, Registry& registry,
                        std::function<TrainHealth()> health) {
  TRY(add(router, "/metrics", net::RunOn::kPool, [&registry](const net::Request& request) {
    const TextFormat format = negotiate_text_format(request.header("Accept"));
    net::Response response = net::Response::text(200, registry.write(format));
    response.headers.set("Content-Type", content_type(format));
    return response;
  }));
  TRY(add(router, "/health", net::RunOn::kIoThread,
          [health](const net::Request&) { return health_response(health()); }));
  TRY(add(router, "/live", net::RunOn::kIoThread,
          [](const net::Request&) { return net::Response::text(200, "alive\n"); }));
  return add(router, "/ready", net::RunOn::kIoThread, [health](const net::Request&) {
    return health().training ? net::Response::text(200, "ready\n")
                             : net::Response::text(503, "reading texts and checkpoint\n");
  });
}

}  // namespace binnacle::engine
