// The door of every route: whose Host and Origin is it, how often do they come, who are they, may
// they. Keeps no I/O thread waiting: keys and sessions are looked up in memory, audit records are
// queued. admit() and the failure notes from any thread; set_options() on reload. Rules:
// docs/access.md.
#pragma once

#include "base/clock.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "net/router.h"
#include "store/access/audit_log.h"
#include "store/access/credentials.h"
#include "store/access/key_store.h"
#include "store/access/lockout.h"
#include "store/access/rate_limit.h"
#include "store/access/session_store.h"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace binnacle::store::access {

enum class ListenerAuth : uint8_t {
  kKeys,         // a key, a session or a client certificate
  kCertificate,  // a client certificate; TLS asks for it before a request can come
  kNone,         // everyone is admin: --insecure
};

struct ListenerAccess {
  ListenerAuth auth = ListenerAuth::kKeys;
  Role certificate_role = Role::kViewer;  // of callers known by their certificate alone
};

struct AccessOptions {
  std::vector<std::string> allowed_hosts;           // "binnacle.example.org", "other:8443"
  std::map<std::string, ListenerAccess> listeners;  // by Connection::listener; others are kKeys
  LockoutPolicy lockout;
  size_t max_rate_limited_clients = 10'000;
  // Of one client address, by RouteGroup: page, api, ingest, gateway, link, probes.
  std::array<RateLimit, net::kRouteGroups> rate_limits = {
      RateLimit{100, 400},   RateLimit{500, 1000}, RateLimit{5000, 10000},
      RateLimit{1000, 2000}, RateLimit{100, 400},  RateLimit{100, 400}};
};

class AccessGuard final : public net::Guard {
 public:
  // References outlive the guard.
  AccessGuard(const KeyStore& keys, const SessionStore& sessions, AuditLog& audit,
              const Clock& clock, Registry& registry, AccessOptions options);
  ~AccessGuard() override;

  std::optional<net::Response> admit(net::Request& request, const net::Route& route) override
      EXCLUDES(mu_);

  // Lockouts and rates begin anew.
  void set_options(AccessOptions options) EXCLUDES(mu_);

  // For routes that take a secret in their body (login, join).
  std::optional<net::Response> refuse_when_locked(const net::Request& request) EXCLUDES(mu_);
  void note_failure(const net::Request& request, std::string_view what) EXCLUDES(mu_);
  void note_success(const net::Request& request) EXCLUDES(mu_);

  // Requests of this browser come over TLS, be it ended by a proxy before us.
  static bool came_by_tls(const net::Request& request);

 private:
  struct Policy;  // all that set_options() swaps
  struct Caller;  // who it is, or the refusal
  enum class Reason : uint8_t { kHost, kOrigin, kRate, kLocked, kUnauthenticated, kRole };

  std::shared_ptr<Policy> policy() const EXCLUDES(mu_);
  std::optional<net::Response> check_addressing(const net::Request& request, const Policy& policy);
  std::optional<net::Response> check_rate(const net::Request& request, const net::Route& route,
                                          Policy& policy);
  Caller identify(const net::Request& request, const Policy& policy);
  Caller by_key(const net::Request& request, const std::string& key);
  Caller without_credentials(const net::Request& request, const Policy& policy);
  std::optional<net::Response> check_role(const net::Request& request, const net::Route& route);
  std::optional<net::Response> check_cross_site(const net::Request& request,
                                                const net::Route& route, const Caller& caller,
                                                const Policy& policy);
  net::Response refuse(Reason reason, Error error);
  net::Response ask_to_log_in(const net::Request& request, Error error);
  void audit(const net::Request& request, const Identity& identity, std::string action,
             std::string_view why);

  // Fixed after construction.
  const KeyStore& keys_;
  const SessionStore& sessions_;
  AuditLog& audit_;
  const Clock& clock_;
  std::array<Counter*, 6> refusals_;  // by Reason
  Counter& lockouts_;
  Counter& audit_suppressed_;

  mutable Mutex mu_;
  std::shared_ptr<Policy> policy_
      GUARDED_BY(mu_);  // shared: a request keeps the one that it began with
};

}  // namespace binnacle::store::access
