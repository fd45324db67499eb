#include "store/access/access_routes.h"

#include "base/json_parse.h"
#include "store/access/digest.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace binnacle::store::access {
namespace {

using nlohmann::json;

constexpr size_t kMaxLoginBytes = 4 * 1024;
constexpr size_t kAuditRowsDefault = 100;
constexpr size_t kAuditRowsMost = 1'000;

std::string write(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool from_browser(const net::Request& request) {
  return request.header("Accept").find("text/html") != std::string_view::npos;
}

std::string session_cookie(std::string_view id, int64_t max_age_s, bool tls) {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", kSessionCookie, id,
                     max_age_s, tls ? "; Secure" : "");
}

net::Response start_session(const AccessServices& services, const net::Request& request,
                            const Identity& identity, std::string_view next) {
  Result<IssuedSession> session = services.sessions.create(identity.key_id);
  if (!session) return net::Response::error(session.error());
  net::Response response =
      from_browser(request) || next != "/"
          ? net::Response::redirect(next)
          : net::Response::json(
                200, write({{"name", identity.name}, {"role", role_name(identity.role)}}));
  const int64_t max_age_s = (session->expires_ms - services.clock.wall_ms() + 999) / 1000;
  response.headers.add("Set-Cookie",
                       session_cookie(session->id, max_age_s, AccessGuard::came_by_tls(request)));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

net::Response log_in(const AccessServices& services, const net::Request& request) {
  if (auto locked = services.guard.refuse_when_locked(request)) return std::move(*locked);
  // The body alone: a key in the address would end up in logs and histories.
  const net::Params form = net::Params::parse(request.body);
  const std::string next = local_path_or_root(form.get("next"));
  Result<Identity> identity = services.keys.authenticate(form.get("key"));
  if (!identity) {
    services.guard.note_failure(request, identity.error().message);
    if (!from_browser(request)) return net::Response::error(identity.error());
    return net::Response::redirect("/login?failed=1&next=" + net::percent_encode(next));
  }
  services.guard.note_success(request);
  const Status audited =
      services.audit.append({.action = "login.succeeded",
                             .actor = {.name = identity->name,
                                       .key_id = identity->key_id,
                                       .address = request.connection->peer_address},
                             .subject = identity->key_id,
                             .detail = R"({"by":"key"})"});
  if (!audited) return net::Response::error(audited.error());
  return start_session(services, request, *identity, next);
}

net::Response log_in_once(const AccessServices& services, const net::Request& request) {
  if (auto locked = services.guard.refuse_when_locked(request)) return std::move(*locked);
  Result<Identity> identity =
      services.tokens.redeem_login(request.path_param("token"), request.connection->peer_address);
  if (identity) return start_session(services, request, *identity, "/");
  if (identity.error().code == Code::kUnauthenticated) {
    services.guard.note_failure(request, identity.error().message);
  }
  if (!from_browser(request)) return net::Response::error(identity.error());
  return net::Response::redirect("/login?failed=1");
}

net::Response log_out(const AccessServices& services, const net::Request& request) {
  if (const auto id = request.cookie(kSessionCookie)) {
    const bool known = services.sessions.authenticate(*id).has_value();
    if (const Status removed = services.sessions.remove(*id); !removed) {
      return net::Response::error(removed.error());
    }
    if (known) {
      services.audit.enqueue(
          {.action = "logout", .actor = actor_of(request), .subject = request.identity.key_id});
    }
  }
  net::Response response = net::Response::redirect("/login");
  response.headers.add("Set-Cookie", session_cookie("", 0, AccessGuard::came_by_tls(request)));
  return response;
}

net::Response who_am_i(const AccessServices& services, const net::Request& request) {
  const Identity& identity = request.identity;
  net::Response response = net::Response::json(200, write({{"key_id", identity.key_id},
                                                           {"name", identity.name},
                                                           {"role", role_name(identity.role)},
                                                           {"open", services.keys.open()}}));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

// 0 when absent or not a number: both mean "from the newest" or "the default".
size_t number_param(const net::Params& params, std::string_view name) {
  size_t value = 0;
  const std::string_view text = params.get(name);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

json row_json(const AuditRow& row) {
  const AuditRecord& record = row.record;
  return {{"id", row.id},
          {"time", format_rfc3339(record.time_ms)},
          {"action", record.action},
          {"actor", record.actor.name},
          {"key_id", record.actor.key_id},
          {"address", record.actor.address},
          {"subject", record.subject},
          {"outcome", audit_outcome_name(record.outcome)},
          {"detail", parse_json(record.detail)},
          {"hash", to_hex(row.hash)}};
}

net::Response audit_rows(const AccessServices& services, const net::Request& request) {
  const net::Params params = request.params();
  const size_t asked = number_param(params, "limit");
  const size_t limit = asked == 0 ? kAuditRowsDefault : std::min(asked, kAuditRowsMost);
  Result<std::vector<AuditRow>> rows =
      services.audit.recent(static_cast<int64_t>(number_param(params, "before")), limit);
  if (!rows) return net::Response::error(rows.error());
  json list = json::array();
  for (const AuditRow& row : *rows) list.push_back(row_json(row));
  return net::Response::json(200, write({{"audit", std::move(list)}}));
}

net::Response audit_verdict(const AccessServices& services) {
  const Result<AuditVerdict> verdict = services.audit.verify();
  if (!verdict) return net::Response::error(verdict.error());
  return net::Response::json(200, write({{"intact", verdict->intact},
                                         {"rows", verdict->rows},
                                         {"broken_id", verdict->broken_id},
                                         {"reason", verdict->reason}}));
}

Status register_login(net::Router& router, const AccessServices& services) {
  TRY(router.add({.method = net::Method::kPost,
                  .pattern = "/login",
                  .group = net::RouteGroup::kPage,
                  .role = Role::kPublic,
                  .handler = [services](const net::Request& r) { return log_in(services, r); },
                  .limits = {.max_body_bytes = kMaxLoginBytes}}));
  TRY(router.add({.method = net::Method::kGet,
                  .pattern = "/login/{token}",
                  .group = net::RouteGroup::kPage,
                  .role = Role::kPublic,
                  .handler = [services](const net::Request& r) { return log_in_once(services, r); },
                  .limits = {},
                  .secret_target = true}));
  return router.add({.method = net::Method::kPost,
                     .pattern = "/logout",
                     .group = net::RouteGroup::kPage,
                     .role = Role::kPublic,
                     .handler = [services](const net::Request& r) { return log_out(services, r); },
                     .limits = {.max_body_bytes = kMaxLoginBytes}});
}

}  // namespace

std::string local_path_or_root(std::string_view next) {
  // "//host" and "/\host" are other sites to a browser; control characters could split the header.
  const bool local = next.starts_with('/') && !next.starts_with("//") &&
                     std::none_of(next.begin(), next.end(), [](char c) {
                       return c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
                     });
  return local ? std::string(next) : "/";
}

Actor actor_of(const net::Request& request) {
  return {.name = request.identity.name,
          .key_id = request.identity.key_id,
          .address = request.connection->peer_address};
}

Status register_access_routes(net::Router& router, AccessServices services) {
  TRY(register_login(router, services));
  TRY(router.add({.method = net::Method::kGet,
                  .pattern = "/api/binnacle/v1/whoami",
                  .role = Role::kPublic,
                  .handler = [services](const net::Request& r) { return who_am_i(services, r); },
                  .run_on = net::RunOn::kIoThread,
                  .limits = {}}));
  TRY(router.add({.method = net::Method::kGet,
                  .pattern = "/api/binnacle/v1/audit",
                  .role = Role::kAdmin,
                  .handler = [services](const net::Request& r) { return audit_rows(services, r); },
                  .limits = {}}));
  TRY(router.add({.method = net::Method::kGet,
                  .pattern = "/api/binnacle/v1/audit/verify",
                  .role = Role::kAdmin,
                  .handler = [services](const net::Request&) { return audit_verdict(services); },
                  .limits = {}}));
  return register_key_routes(router, services);
}

}  // namespace binnacle::store::access
