#include "engine/pipeline/serve_routes.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/version.h"
#include "engine/pipeline/openai_request.h"

namespace binnacle::engine {
namespace {

using net::Request;
using net::Response;
using nlohmann::json;

constexpr std::chrono::milliseconds kAskLimit{2'000};

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json pipeline_json(const PipelineStatus& pipeline) {
  json stages = json::array();
  for (const StageStatus& stage : pipeline.stages) {
    stages.push_back({{"worker", stage.worker},
                      {"first_layer", stage.layers.begin},
                      {"last_layer", stage.layers.end - 1},
                      {"hops", stage.hops},
                      {"hop_p50_seconds", stage.hop_p50_seconds},
                      {"hop_p99_seconds", stage.hop_p99_seconds}});
  }
  json out = {{"replica", pipeline.replica},
              {"state", pipeline.state},
              {"epoch", pipeline.epoch},
              {"model_folder", pipeline.model_folder},
              {"stages", std::move(stages)},
              {"running", pipeline.counts.running},
              {"waiting", pipeline.counts.waiting},
              {"micro_batches", pipeline.counts.in_flight},
              {"kv_positions_used", pipeline.counts.kv_positions},
              {"kv_positions", pipeline.counts.kv_capacity},
              {"replayed_tokens", pipeline.counts.replayed_tokens},
              {"preemptions", pipeline.counts.preemptions}};
  if (!pipeline.reason.empty()) out["reason"] = pipeline.reason;
  if (pipeline.oldest_hop_stage >= 0) {
    out["oldest_hop"] = {{"stage", pipeline.oldest_hop_stage},
                         {"seconds", pipeline.oldest_hop_seconds}};
  }
  return out;
}

json worker_json(const WorkerStatus& worker) {
  json out = {{"address", worker.address},
              {"name", worker.name},
              {"state", worker.state},
              {"since_seconds", worker.since_seconds}};
  if (!worker.reason.empty()) out["reason"] = worker.reason;
  if (worker.stage >= 0) out["failed_stage"] = worker.stage;
  return out;
}

Response health(const ServeRoutesDeps& deps) {
  const auto status = deps.orchestrator.status(kAskLimit);
  const std::string problem = !status           ? status.error().message
                              : deps.draining() ? "it is being stopped"
                                                : status->problem();
  json body = {{"status", problem.empty() ? "healthy" : "failed"}, {"version", version()}};
  if (!problem.empty()) body["reason"] = problem;
  Response response = Response::json(problem.empty() ? 200 : 503, dump(body));
  if (!problem.empty()) response.headers.set("Retry-After", "1");
  return response;
}

Response metrics(const ServeRoutesDeps& deps, const Request& request) {
  const TextFormat format = negotiate_text_format(request.header("accept"));
  Response response;
  response.headers.set("Content-Type", content_type(format));
  response.body = deps.registry.write(format);
  return response;
}

Response stats(const ServeRoutesDeps& deps) {
  const auto status = deps.orchestrator.status(kAskLimit);
  if (!status) return Response::error(status.error());
  return Response::json(200, distributed_stats_json(*status));
}

Response reload(const ServeRoutesDeps& deps) {
  if (const Status done = deps.reload(); !done)
    return api_error_response(api_error_of(done.error()));
  return Response::json(202, R"({"status":"the new checkpoint is on its way"})");
}

class KeyGuard final : public net::Guard {
 public:
  explicit KeyGuard(std::string key) : key_(std::move(key)) {}

  std::optional<Response> admit(Request& request, const net::Route& route) override {
    const std::string_view origin = request.header("Origin");
    if (!origin.empty()) {
      const size_t scheme = origin.find("://");
      if (scheme == std::string_view::npos || origin.substr(scheme + 3) != request.header("Host")) {
        return refusal(403, "a page of another origin may not call this engine");
      }
    }
    if (key_.empty() || route.role == Role::kPublic) return std::nullopt;
    constexpr std::string_view kBearer = "Bearer ";
    std::string_view given = request.header("Authorization");
    if (given.starts_with(kBearer)) given.remove_prefix(kBearer.size());
    if (same(given)) return std::nullopt;
    Response response =
        refusal(401, "the request needs the engine's key: Authorization: Bearer KEY");
    response.headers.set("WWW-Authenticate", "Bearer");
    return response;
  }

 private:
  static Response refusal(int status, std::string message) {
    ApiError error;
    error.status = status;
    error.message = std::move(message);
    return api_error_response(error);
  }
  // In a time that tells nothing of where they differ.
  bool same(std::string_view given) const {
    unsigned differs = given.size() == key_.size() ? 0 : 1;
    for (size_t i = 0; i < given.size(); ++i) {
      differs |=
          static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(key_[i % key_.size()]);
    }
    return differs == 0;
  }

  const std::string key_;
};

}  // namespace

std::string distributed_stats_json(const OrchestratorStatus& status) {
  json pipelines = json::array();
  for (const PipelineStatus& pipeline : status.pipelines) {
    pipelines.push_back(pipeline_json(pipeline));
  }
  json workers = json::array();
  for (const WorkerStatus& worker : status.workers) workers.push_back(worker_json(worker));
  json events = json::array();
  for (const OrchestratorEvent& event : status.events) {
    events.push_back({{"time", format_rfc3339(event.wall_ms)},
                      {"kind", event.kind},
                      {"subject", event.subject},
                      {"text", event.text}});
  }
  return dump({{"model", status.model.name},
               {"layers", status.model.layers},
               {"pipelines", std::move(pipelines)},
               {"workers", std::move(workers)},
               {"events", std::move(events)}});
}

std::unique_ptr<net::Guard> make_key_guard(std::string key) {
  return std::make_unique<KeyGuard>(std::move(key));
}

Status register_serve_routes(net::Router& router, ServeRoutesDeps deps) {
  const auto shared = std::make_shared<const ServeRoutesDeps>(std::move(deps));
  const auto add = [&](net::Method method, const char* pattern, Role role,
                       std::function<Response(const Request&)> handler) {
    net::Route route;
    route.method = method;
    route.pattern = pattern;
    route.group = net::RouteGroup::kProbes;
    route.role = role;
    route.handler = net::Handler(std::move(handler));
    return router.add(std::move(route));
  };
  const auto healthy = [shared](const Request&) { return health(*shared); };
  TRY(add(net::Method::kGet, "/health", Role::kPublic, healthy));
  TRY(add(net::Method::kGet, "/ready", Role::kPublic, healthy));
  TRY(add(net::Method::kGet, "/live", Role::kPublic, [shared](const Request&) {
    const auto status = shared->orchestrator.status(kAskLimit);
    return status ? Response::text(200, "live\n") : Response::text(503, status.error().message);
  }));
  TRY(add(net::Method::kGet, "/metrics", Role::kViewer,
          [shared](const Request& request) { return metrics(*shared, request); }));
  TRY(add(net::Method::kGet, "/distributed-stats", Role::kViewer,
          [shared](const Request&) { return stats(*shared); }));
  return add(net::Method::kPost, "/admin/reload", Role::kAdmin,
             [shared](const Request&) { return reload(*shared); });
}

}  // namespace binnacle::engine
