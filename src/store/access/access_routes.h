// The routes of this room's data: log in and out, who am I, keys, join tokens, the audit log. The
// page owns GET /login; what the routes take and answer is written in docs/access.md. Handlers run
// on the server's pool.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "net/router.h"
#include "store/access/access_guard.h"
#include "store/access/audit_log.h"
#include "store/access/key_store.h"
#include "store/access/session_store.h"
#include "store/access/token_store.h"

#include <string>
#include <string_view>

namespace binnacle::store::access {

// All outlive the router.
struct AccessServices {
  KeyStore& keys;
  TokenStore& tokens;
  SessionStore& sessions;
  AuditLog& audit;
  AccessGuard& guard;
  const Clock& clock;
};

// POST /login, POST /logout, GET /login/{token}, GET /api/binnacle/v1/whoami, .../audit,
// .../audit/verify, and those of register_key_routes().
Status register_access_routes(net::Router& router, AccessServices services);

// /api/binnacle/v1/keys, /join-tokens and /join.
Status register_key_routes(net::Router& router, AccessServices services);

// `next` when it is a path of this server, else "/": a log-in must not send people elsewhere.
std::string local_path_or_root(std::string_view next);

// Who a request's change is booked to.
Actor actor_of(const net::Request& request);

}  // namespace binnacle::store::access
