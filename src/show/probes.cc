#include "show/probes.h"

#include <fmt/format.h>

#include "base/json_text.h"

namespace binnacle::show {
namespace {

using net::Request;
using net::Response;

struct Verdict {
  bool ok = true;
  std::string checks_json = "[";
  std::string first_problem;
};

void run(const std::vector<ProbeCheck>& checks, Verdict& verdict) {
  for (const ProbeCheck& check : checks) {
    const Status status = check.check();
    if (verdict.checks_json.size() > 1) verdict.checks_json.push_back(',');
    verdict.checks_json += "{\"name\":";
    append_json_string(verdict.checks_json, check.name);
    verdict.checks_json += status ? ",\"ok\":true}" : ",\"ok\":false,\"detail\":";
    if (status) continue;
    append_json_string(verdict.checks_json, status.error().message);
    verdict.checks_json.push_back('}');
    if (verdict.ok)
      verdict.first_problem = fmt::format("{}: {}", check.name, status.error().message);
    verdict.ok = false;
  }
}

Response plain(const Verdict& verdict, std::string_view yes) {
  return verdict.ok ? Response::text(200, fmt::format("{}\n", yes))
                    : Response::text(503, fmt::format("{}\n", verdict.first_problem));
}

Response live(const ProbeDeps& deps, const Request&) {
  Verdict verdict;
  run(deps.live, verdict);
  return plain(verdict, "live");
}

Response ready(const ProbeDeps& deps, const Request&) {
  Verdict verdict;
  run(deps.live, verdict);
  run(deps.ready, verdict);
  return plain(verdict, "ready");
}

Response health(const ProbeDeps& deps, const Request&) {
  Verdict verdict;
  run(deps.live, verdict);
  const bool is_live = verdict.ok;
  run(deps.ready, verdict);
  return Response::json(
      verdict.ok ? 200 : 503,
      fmt::format(R"({{"status":"{}","live":{},"ready":{},"version":"{}","checks":{}]}})",
                  verdict.ok ? "healthy" : "failed", is_live, verdict.ok, deps.version,
                  verdict.checks_json));
}

Response version(const ProbeDeps& deps, const Request&) {
  return Response::json(
      200, fmt::format(R"({{"version":"{}","revision":"{}"}})", deps.version, deps.revision));
}

Response metrics(const ProbeDeps& deps, const Request& request) {
  const TextFormat format = negotiate_text_format(request.header("accept"));
  Response response;
  response.headers.set("Content-Type", content_type(format));
  response.body = deps.registry.write(format);
  return response;
}

using Probe = Response (*)(const ProbeDeps&, const Request&);

}  // namespace

Status register_probes(net::Router& router, ProbeDeps deps) {
  const auto shared =
      std::make_shared<const ProbeDeps>(std::move(deps));  // by every route's handler
  const auto add = [&](std::string pattern, Probe probe, Role role, net::RunOn run_on) {
    net::Route route;
    route.pattern = std::move(pattern);
    route.group = net::RouteGroup::kProbes;
    route.role = role;
    route.run_on = run_on;
    route.handler = [shared, probe](const Request& request) { return probe(*shared, request); };
    return router.add(std::move(route));
  };
  TRY(add("/health", health, Role::kPublic, net::RunOn::kIoThread));
  TRY(add("/live", live, Role::kPublic, net::RunOn::kIoThread));
  TRY(add("/ready", ready, Role::kPublic, net::RunOn::kIoThread));
  TRY(add("/-/healthy", live, Role::kPublic, net::RunOn::kIoThread));
  TRY(add("/-/ready", ready, Role::kPublic, net::RunOn::kIoThread));
  TRY(add("/version", version, Role::kPublic, net::RunOn::kIoThread));
  return add("/metrics", metrics, Role::kViewer, net::RunOn::kPool);
}

}  // namespace binnacle::show
