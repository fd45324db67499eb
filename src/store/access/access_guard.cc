#include "store/access/access_guard.h"

#include "base/json_text.h"
#include "store/access/host_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace binnacle::store::access {
namespace {

// Refusals of one client that are written down: ten at once, then one in ten seconds. The rest only
// counts.
constexpr RateLimit kAuditRate = {0.1, 10};

constexpr std::string_view kReasonNames[] = {"host",   "origin",          "rate",
                                             "locked", "unauthenticated", "role"};

bool changes_state(net::Method method) {
  return method != net::Method::kGet && method != net::Method::kHead &&
         method != net::Method::kOptions;
}

bool is_page_visit(const net::Request& request) {
  return (request.method == net::Method::kGet || request.method == net::Method::kHead) &&
         request.header("Accept").find("text/html") != std::string_view::npos;
}

// Behind a proxy on this machine the whole world comes from loopback.
bool came_through_proxy(const net::Request& request) {
  return !request.header("X-Forwarded-For").empty() || !request.header("Forwarded").empty();
}

std::string retry_after_seconds(int64_t ms) { return fmt::format("{}", (ms + 999) / 1000); }

std::string address_of(const net::Request& request) { return request.connection->peer_address; }

// The path of a one-use login holds its token.
std::string path_without_secret(std::string_view path) {
  return path.starts_with("/login/") ? "/login/..." : std::string(path);
}

}  // namespace

struct AccessGuard::Policy {
  explicit Policy(AccessOptions given)
      : options(std::move(given)),
        lockout(options.lockout),
        audited(kAuditRate, options.max_rate_limited_clients) {
    rates.reserve(net::kRouteGroups);
    for (const RateLimit& limit : options.rate_limits) {
      rates.emplace_back(limit, options.max_rate_limited_clients);
    }
  }

  ListenerAccess listener(const std::string& name) const {
    const auto it = options.listeners.find(name);
    return it == options.listeners.end() ? ListenerAccess{} : it->second;
  }

  const AccessOptions options;  // fixed after construction

  Mutex mu;  // held for one look at a table
  Lockout lockout GUARDED_BY(mu);
  std::vector<TokenBuckets> rates GUARDED_BY(mu);  // by RouteGroup
  TokenBuckets audited GUARDED_BY(mu);
};

struct AccessGuard::Caller {
  std::optional<Identity> identity;
  std::optional<net::Response> refusal;  // where there is no identity
  bool by_cookie = false;
};

AccessGuard::AccessGuard(const KeyStore& keys, const SessionStore& sessions, AuditLog& audit,
                         const Clock& clock, Registry& registry, AccessOptions options)
    : keys_(keys),
      sessions_(sessions),
      audit_(audit),
      clock_(clock),
      lockouts_(registry.counter("binnacle_access_lockouts_total",
                                 "Times that an address was locked out for wrong keys.")),
      audit_suppressed_(registry.counter("binnacle_access_audit_suppressed_total",
                                         "Refusals not audited because their client had many.")),
      policy_(std::make_shared<Policy>(std::move(options))) {
  for (size_t i = 0; i < refusals_.size(); ++i) {
    refusals_[i] = &registry.counter("binnacle_access_refusals_total",
                                     "Requests refused at the door, by reason.",
                                     {{"reason", std::string(kReasonNames[i])}});
  }
}

AccessGuard::~AccessGuard() = default;

std::shared_ptr<AccessGuard::Policy> AccessGuard::policy() const {
  MutexLock lock(mu_);
  return policy_;
}

void AccessGuard::set_options(AccessOptions options) {
  auto fresh = std::make_shared<Policy>(std::move(options));
  MutexLock lock(mu_);
  policy_ = std::move(fresh);
}

std::optional<net::Response> AccessGuard::admit(net::Request& request, const net::Route& route) {
  CHECK(request.connection != nullptr);
  const auto now = policy();
  if (auto refusal = check_addressing(request, *now)) return refusal;
  if (auto refusal = check_rate(request, route, *now)) return refusal;
  Caller caller = identify(request, *now);
  if (caller.identity) request.identity = *caller.identity;
  // A public route answers a caller whom nobody knows; a wrong key there was counted all the same.
  if (!caller.identity && *route.role != Role::kPublic) return std::move(caller.refusal);
  if (auto refusal = check_cross_site(request, route, caller, *now)) return refusal;
  return check_role(request, route);
}

std::optional<net::Response> AccessGuard::check_addressing(const net::Request& request,
                                                           const Policy& policy) {
  const std::string_view host = request.header("Host");
  const auto& allowed = policy.options.allowed_hosts;
  if (!host_is_ours(host, request.connection->listener, allowed)) {
    net::Response response =
        refuse(Reason::kHost,
               {Code::kPermissionDenied,
                fmt::format("host: this server does not answer to that name ({:.100}); add it to "
                            "server.allowed_hosts if it is yours",
                            host)});
    response.status = 421;
    return response;
  }
  const std::string_view origin = request.header("Origin");
  if (origin.empty() || origin_is_ours(origin, host, request.connection->tls, allowed)) {
    return std::nullopt;
  }
  return refuse(
      Reason::kOrigin,
      {Code::kPermissionDenied,
       fmt::format("origin: a page of another site may not call this server ({:.100})", origin)});
}

std::optional<net::Response> AccessGuard::check_rate(const net::Request& request,
                                                     const net::Route& route, Policy& policy) {
  int64_t wait_ms = 0;
  {
    const std::string client = client_of_address(request.connection->peer_address);
    MutexLock lock(policy.mu);
    wait_ms = policy.rates[static_cast<size_t>(route.group)].take(clock_.monotonic_ms(), client);
  }
  if (wait_ms == 0) return std::nullopt;
  const RateLimit& limit = policy.options.rate_limits[static_cast<size_t>(route.group)];
  net::Response response = refuse(
      Reason::kRate, {Code::kResourceExhausted,
                      fmt::format("rate limit: more than {} requests/s to {} routes from one "
                                  "address; wait and try again",
                                  limit.per_second, net::route_group_name(route.group))});
  response.headers.set("Retry-After", retry_after_seconds(wait_ms));
  return response;
}

AccessGuard::Caller AccessGuard::identify(const net::Request& request, const Policy& policy) {
  const ListenerAccess listener = policy.listener(request.connection->listener);
  if (listener.auth == ListenerAuth::kNone) {
    return {.identity = Identity{.key_id = {}, .name = "anonymous", .role = Role::kAdmin},
            .refusal = {}};
  }
  const Credentials shown = credentials_of(request);
  switch (shown.kind) {
    case Credentials::Kind::kKey:
      return by_key(request, shown.secret);
    case Credentials::Kind::kSession:
      // An ended session is no attack: it is as if no cookie had come.
      if (auto identity = sessions_.authenticate(shown.secret)) {
        return {.identity = std::move(*identity), .refusal = {}, .by_cookie = true};
      }
      break;
    case Credentials::Kind::kNone:
      break;
  }
  return without_credentials(request, policy);
}

AccessGuard::Caller AccessGuard::by_key(const net::Request& request, const std::string& key) {
  if (auto locked = refuse_when_locked(request)) {
    return {.identity = {}, .refusal = std::move(locked)};
  }
  Result<Identity> identity = keys_.authenticate(key);
  if (identity) {
    note_success(request);
    return {.identity = std::move(*identity), .refusal = {}};
  }
  note_failure(request, identity.error().message);
  return {.identity = {}, .refusal = ask_to_log_in(request, std::move(identity).error())};
}

AccessGuard::Caller AccessGuard::without_credentials(const net::Request& request,
                                                     const Policy& policy) {
  const net::Connection& connection = *request.connection;
  if (!connection.client_certificate.empty()) {
    const Role role = policy.listener(connection.listener).certificate_role;
    return {.identity = Identity{.key_id = "cert:" + connection.client_certificate,
                                 .name = connection.client_certificate,
                                 .role = role},
            .refusal = {}};
  }
  if (!keys_.open()) {
    return {
        .identity = {},
        .refusal = ask_to_log_in(request, {Code::kUnauthenticated,
                                           "this needs a key: send it as Authorization: Bearer, "
                                           "X-API-Key or Basic password, or log in"})};
  }
  if (connection.peer_is_loopback && !came_through_proxy(request)) {
    return {.identity = Identity{.key_id = {}, .name = "local", .role = Role::kAdmin},
            .refusal = {}};
  }
  return {.identity = {},
          .refusal = refuse(Reason::kUnauthenticated,
                            {Code::kUnauthenticated,
                             "no key exists yet: make one on the server's machine with `binnacle "
                             "key create --role admin --name NAME`"})};
}

std::optional<net::Response> AccessGuard::check_role(const net::Request& request,
                                                     const net::Route& route) {
  const Identity& identity = request.identity;
  if (role_allows(identity.role, *route.role)) return std::nullopt;
  Error error{Code::kPermissionDenied,
              fmt::format("this needs the role {}: \"{}\" has {}", role_name(*route.role),
                          identity.name, role_name(identity.role))};
  audit(request, identity, "access.refused", error.message);
  return refuse(Reason::kRole, std::move(error));
}

std::optional<net::Response> AccessGuard::check_cross_site(const net::Request& request,
                                                           const net::Route& route,
                                                           const Caller& caller,
                                                           const Policy& policy) {
  const bool web_socket = std::holds_alternative<net::WebSocketHandler>(route.handler);
  if (!changes_state(request.method) && !web_socket) return std::nullopt;
  // A foreign Origin was refused before; what is left is the request that has none.
  const std::string_view host = request.header("Host");
  const std::string_view origin = request.header("Origin");
  const bool proven = !origin.empty() && origin_is_ours(origin, host, request.connection->tls,
                                                        policy.options.allowed_hosts);
  if (proven) return std::nullopt;
  const std::string_view site = request.header("Sec-Fetch-Site");
  const bool foreign_page = !site.empty() && site != "same-origin" && site != "none";
  if (!caller.by_cookie && !foreign_page) return std::nullopt;
  return refuse(Reason::kOrigin,
                {Code::kPermissionDenied,
                 "origin: a request that changes something by a login cookie must carry an Origin "
                 "equal to its Host; scripts use a key instead"});
}

std::optional<net::Response> AccessGuard::refuse_when_locked(const net::Request& request) {
  Lockout::Verdict verdict;
  {
    const auto now = policy();
    MutexLock lock(now->mu);
    verdict = now->lockout.step(clock_.monotonic_ms(), Lockout::Event::kAttempt,
                                client_of_address(request.connection->peer_address));
  }
  if (verdict.locked_for_ms == 0) return std::nullopt;
  net::Response response =
      refuse(Reason::kLocked, {Code::kResourceExhausted,
                               fmt::format("locked out: too many wrong keys from this address; try "
                                           "again in {} s",
                                           retry_after_seconds(verdict.locked_for_ms))});
  response.headers.set("Retry-After", retry_after_seconds(verdict.locked_for_ms));
  return response;
}

void AccessGuard::note_failure(const net::Request& request, std::string_view what) {
  Lockout::Verdict verdict;
  {
    const auto now = policy();
    MutexLock lock(now->mu);
    verdict = now->lockout.step(clock_.monotonic_ms(), Lockout::Event::kFailure,
                                client_of_address(request.connection->peer_address));
  }
  const Identity nobody{.key_id = {}, .name = "unknown", .role = Role::kPublic};
  audit(request, nobody, "login.failed", what);
  if (!verdict.newly_locked) return;
  lockouts_.add();
  audit(request, nobody, "login.locked_out",
        fmt::format("for {} s", retry_after_seconds(verdict.locked_for_ms)));
}

void AccessGuard::note_success(const net::Request& request) {
  const auto now = policy();
  MutexLock lock(now->mu);
  now->lockout.step(clock_.monotonic_ms(), Lockout::Event::kSuccess,
                    client_of_address(request.connection->peer_address));
}

bool AccessGuard::came_by_tls(const net::Request& request) {
  return request.connection->tls || request.header("Origin").starts_with("https://");
}

net::Response AccessGuard::refuse(Reason reason, Error error) {
  refusals_[static_cast<size_t>(reason)]->add();
  return net::Response::error(error);
}

net::Response AccessGuard::ask_to_log_in(const net::Request& request, Error error) {
  if (is_page_visit(request)) {
    refusals_[static_cast<size_t>(Reason::kUnauthenticated)]->add();
    return net::Response::redirect("/login?next=" + net::percent_encode(request.target));
  }
  net::Response response = refuse(Reason::kUnauthenticated, std::move(error));
  response.headers.add("WWW-Authenticate", "Bearer realm=\"binnacle\"");
  // A page's own call would make the browser ask for a password in a window of its own.
  if (request.header("Sec-Fetch-Mode").empty()) {
    response.headers.add("WWW-Authenticate", "Basic realm=\"binnacle\"");
  }
  return response;
}

void AccessGuard::audit(const net::Request& request, const Identity& identity, std::string action,
                        std::string_view why) {
  {
    const auto now = policy();
    const std::string client = client_of_address(request.connection->peer_address);
    MutexLock lock(now->mu);
    if (now->audited.take(clock_.monotonic_ms(), client) != 0) {
      audit_suppressed_.add();
      return;
    }
  }
  std::string detail = "{\"why\":";
  append_json_string(detail, why);
  detail += fmt::format(",\"method\":\"{}\"}}", net::method_name(request.method));
  audit_.enqueue(
      {.action = std::move(action),
       .actor = {.name = identity.name, .key_id = identity.key_id, .address = address_of(request)},
       .subject = path_without_secret(request.path),
       .outcome = AuditOutcome::kRefused,
       .detail = std::move(detail)});
}

}  // namespace binnacle::store::access
