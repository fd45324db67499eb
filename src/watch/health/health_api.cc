#include "watch/health/health_api.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

#include <fmt/format.h>

#include "base/time_text.h"
#include "watch/health/health_json.h"

namespace binnacle::watch::health {
namespace {

using net::Method;
using net::Request;
using net::Response;
using nlohmann::json;

constexpr std::string_view kPrefix = "/api/binnacle/v1/health/";
constexpr size_t kMaxCheckBytes = size_t{64} << 10;
constexpr size_t kMaxHistory = 1000;

Response answer(const Result<json>& body, int status = 200) {
  if (!body) return Response::error(body.error());
  return Response::json(status, body->dump(-1, ' ', false, json::error_handler_t::replace));
}

Response answer(const Status& done) {
  if (!done) return Response::error(done.error());
  return Response::json(200, R"({"status":"success"})");
}

// A copy, so that nobody waits for the JSON of a large cluster.
HealthTree tree_of(const HealthService& service) {
  std::optional<HealthTree> copy;
  service.read([&](const HealthTree& tree) { copy.emplace(tree); });
  return *std::move(copy);
}

// What `fail` asks to be told as 503.
Result<bool> fails(const net::Params& params, Health health) {
  if (!params.has("fail")) return false;
  const std::string_view level = params.get("fail");
  if (level == "critical") return badness(health) >= badness(Health::kCritical);
  if (level == "degraded") return badness(health) >= badness(Health::kDegraded);
  if (level == "unknown") return health != Health::kHealthy;
  return fail(Code::kInvalidArgument,
              fmt::format("fail ({}): write critical, degraded or unknown", level));
}

Response whole(const HealthService& service, const Request& request) {
  const net::Params params = request.params();
  const int64_t now_ms = service.clock().wall_ms();
  json body;
  Health health = Health::kUnknown;
  if (params.get("brief") == "true") {
    service.read([&](const HealthTree& tree) {
      health = tree.cluster().sum.health;
      body = tree_json(tree, now_ms, true);
    });
  } else {
    const HealthTree tree = tree_of(service);
    health = tree.cluster().sum.health;
    body = tree_json(tree, now_ms, false);
  }
  const auto failing = fails(params, health);
  if (!failing) return Response::error(failing.error());
  return answer(std::move(body), *failing ? 503 : 200);
}

Result<json> one_check(const HealthService& service, const std::string& name) {
  json out;
  service.read([&](const HealthTree& tree) {
    const auto found = tree.checks().find(name);
    if (found != tree.checks().end()) out = check_json(found->second);
  });
  if (out.is_null()) return fail(Code::kNotFound, fmt::format("check {}: there is none", name));
  out["runs"] = runs_json(service.runs(name));
  return out;
}

Result<json> all_checks(const HealthService& service, const net::Params& params) {
  const HealthTree tree = tree_of(service);
  json list = json::array();
  const auto fits = [&](std::string_view name, std::string_view value) {
    return !params.has(name) || params.get(name) == value;
  };
  for (const auto& [name, row] : tree.checks()) {
    if (fits("component", component_of(row.spec)) && fits("node", row.spec.node) &&
        fits("status", health_name(row.state.health)))
      list.push_back(check_json(row));
  }
  return json{{"checks", std::move(list)}};
}

Result<int64_t> number(const net::Params& params, std::string_view name, int64_t if_absent) {
  if (!params.has(name)) return if_absent;
  const std::string_view text = params.get(name);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    return fail(Code::kInvalidArgument, fmt::format("{} ({}): write a number", name, text));
  return value;
}

Result<json> history(HealthService& service, const net::Params& params, std::string check) {
  HistoryQuery query;
  query.component = params.get("component");
  query.node = params.get("node");
  query.name = check.empty() ? std::string(params.get("name")) : std::move(check);
  if (params.has("scope")) {
    query.scope = scope_of_name(params.get("scope"));
    if (!query.scope) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("scope ({}): write check, component, node or cluster", params.get("scope")));
    }
  }
  TRY_ASSIGN(query.before_id, number(params, "before", 0));
  TRY_ASSIGN(const int64_t limit, number(params, "limit", 100));
  query.limit = std::min(static_cast<size_t>(limit), kMaxHistory);
  TRY_ASSIGN(const auto changes, service.history().recent(query));
  json list = json::array();
  for (const HealthChange& change : changes) list.push_back(change_json(change));
  return json{{"changes", std::move(list)}};
}

std::string name_of(const Request& request) { return std::string(request.path_param("name")); }

// Changes of what is watched are audited like all that an operator does.
class Changing {
 public:
  Changing(HealthService& service, store::access::AuditLog& audit)
      : service_(service), audit_(audit) {}

  Response register_check(const Request& request) const {
    const auto name = service_.register_check(request.body);
    if (!name) return Response::error(name.error());
    if (const Status noted = note(request, "health.check_registered", *name, json::object());
        !noted)
      return Response::error(noted.error());
    return answer(one_check(service_, *name), 201);
  }

  Response remove(const Request& request) const {
    if (const Status done = service_.remove_check(name_of(request)); !done)
      return Response::error(done.error());
    return answer(note(request, "health.check_removed", name_of(request), json::object()));
  }

  Response maintain(const Request& request) const {
    const auto maintenance = read_maintenance(request.body, service_.clock().wall_ms());
    if (!maintenance) return Response::error(maintenance.error());
    if (const Status done = service_.maintain(name_of(request), *maintenance); !done)
      return Response::error(done.error());
    const json detail = {{"until", format_rfc3339(maintenance->until_ms)},
                         {"reason", maintenance->reason}};
    if (const Status noted = note(request, "health.maintenance_begun", name_of(request), detail);
        !noted)
      return Response::error(noted.error());
    return answer(one_check(service_, name_of(request)));
  }

  Response end_maintenance(const Request& request) const {
    if (const Status done = service_.maintain(name_of(request), {}); !done)
      return Response::error(done.error());
    if (const Status noted =
            note(request, "health.maintenance_ended", name_of(request), json::object());
        !noted)
      return Response::error(noted.error());
    return answer(one_check(service_, name_of(request)));
  }

  Response push(const Request& request) const {
    const auto pushed = read_pushed(request.body);
    if (!pushed) return Response::error(pushed.error());
    return answer(service_.push(name_of(request), *pushed));
  }

 private:
  Status note(const Request& request, std::string action, std::string subject,
              const json& detail) const {
    store::access::AuditRecord record;
    record.action = std::move(action);
    record.subject = std::move(subject);
    record.actor.name = request.identity.name;
    record.actor.key_id = request.identity.key_id;
    if (request.connection != nullptr) record.actor.address = request.connection->peer_address;
    record.detail = detail.dump(-1, ' ', false, json::error_handler_t::replace);
    return audit_.append(std::move(record));
  }

  HealthService& service_;
  store::access::AuditLog& audit_;
};

struct Call {
  Method method;
  std::string pattern;
  Role role;
  net::Handler handler;
};

Status add(net::Router& router, Call call) {
  net::Route route;
  route.method = call.method;
  route.group = call.role == Role::kIngest ? net::RouteGroup::kIngest : net::RouteGroup::kApi;
  route.pattern = std::move(call.pattern);
  route.role = call.role;
  route.handler = std::move(call.handler);
  route.limits.max_body_bytes = kMaxCheckBytes;
  return router.add(std::move(route));
}

Status add_reading(net::Router& router, HealthService& service) {
  const std::string prefix(kPrefix);
  TRY(add(router, {Method::kGet, "/api/health", Role::kViewer,
                   [&service](const Request& request) { return whole(service, request); }}));
  TRY(add(router, {Method::kGet, prefix + "checks", Role::kViewer, [&service](const Request& r) {
                     return answer(all_checks(service, r.params()));
                   }}));
  TRY(add(router,
          {Method::kGet, prefix + "checks/{name}", Role::kViewer,
           [&service](const Request& r) { return answer(one_check(service, name_of(r))); }}));
  TRY(add(router, {Method::kGet, prefix + "checks/{name}/history", Role::kViewer,
                   [&service](const Request& r) {
                     return answer(history(service, r.params(), name_of(r)));
                   }}));
  return add(router,
             {Method::kGet, prefix + "history", Role::kViewer,
              [&service](const Request& r) { return answer(history(service, r.params(), "")); }});
}

}  // namespace

Status register_health_api(net::Router& router, HealthService& service,
                           store::access::AuditLog& audit) {
  const std::string prefix(kPrefix);
  const Changing changing(service, audit);
  TRY(add_reading(router, service));
  TRY(add(router, {Method::kPost, prefix + "checks", Role::kOperator,
                   [changing](const Request& r) { return changing.register_check(r); }}));
  TRY(add(router, {Method::kDelete, prefix + "checks/{name}", Role::kOperator,
                   [changing](const Request& r) { return changing.remove(r); }}));
  TRY(add(router, {Method::kPost, prefix + "checks/{name}/result", Role::kIngest,
                   [changing](const Request& r) { return changing.push(r); }}));
  TRY(add(router, {Method::kPost, prefix + "checks/{name}/run", Role::kOperator,
                   [&service](const Request& r) { return answer(service.run_now(name_of(r))); }}));
  TRY(add(router, {Method::kPost, prefix + "checks/{name}/maintenance", Role::kOperator,
                   [changing](const Request& r) { return changing.maintain(r); }}));
  return add(router, {Method::kDelete, prefix + "checks/{name}/maintenance", Role::kOperator,
                      [changing](const Request& r) { return changing.end_maintenance(r); }});
}

}  // namespace binnacle::watch::health
