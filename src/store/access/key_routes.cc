#include "base/json_parse.h"
#include "store/access/access_routes.h"
#include "store/access/key_json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace binnacle::store::access {
namespace {

using nlohmann::json;

constexpr size_t kMaxBodyBytes = 16 * 1024;
constexpr int64_t kDefaultJoinMs = int64_t{24} * 3600 * 1000;

std::string write(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// What is told once must not stay in a cache on its way.
net::Response secret_answer(const json& value) {
  net::Response response = net::Response::json(201, write(value));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

// A JSON object with no field but `known`; an empty body is {}.
Result<json> parse_body(const net::Request& request,
                        std::initializer_list<std::string_view> known) {
  if (request.body.empty()) return json::object();
  json body = parse_json(request.body);
  if (!body.is_object()) return fail(Code::kInvalidArgument, "request body: not a JSON object");
  for (const auto& [name, value] : body.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return fail(Code::kInvalidArgument,
                fmt::format("request body: unknown field ({:.100}); known: {}", name,
                            fmt::join(known, ", ")));
  }
  return body;
}

Result<NewKey> new_key(const net::Request& request, int64_t now_ms) {
  TRY_ASSIGN(const json body,
             parse_body(request, {"name", "role", "expires_in_seconds", "scopes"}));
  return new_key_from_json(body, now_ms);
}

net::Response list_keys(const AccessServices& services) {
  json list = json::array();
  for (const KeyInfo& info : services.keys.list()) list.push_back(key_json(info));
  return net::Response::json(200, write({{"keys", std::move(list)}}));
}

net::Response create_key(const AccessServices& services, const net::Request& request) {
  Result<NewKey> key = new_key(request, services.clock.wall_ms());
  if (!key) return net::Response::error(key.error());
  const Result<IssuedKey> issued = services.keys.create(std::move(*key), actor_of(request));
  if (!issued) return net::Response::error(issued.error());
  return secret_answer(issued_key_json(*issued));
}

net::Response revoke_key(const AccessServices& services, const net::Request& request) {
  const Status revoked =
      services.keys.revoke(std::string(request.path_param("id")), actor_of(request));
  if (!revoked) return net::Response::error(revoked.error());
  net::Response response;
  response.status = 204;
  return response;
}

net::Response rotate_key(const AccessServices& services, const net::Request& request) {
  const Result<json> body = parse_body(request, {"overlap_seconds"});
  if (!body) return net::Response::error(body.error());
  const Result<int64_t> overlap_ms = seconds_field(*body, "overlap_seconds", 0);
  if (!overlap_ms) return net::Response::error(overlap_ms.error());
  const Result<IssuedKey> issued =
      services.keys.rotate(std::string(request.path_param("id")), *overlap_ms, actor_of(request));
  if (!issued) return net::Response::error(issued.error());
  return secret_answer(issued_key_json(*issued));
}

net::Response create_join_token(const AccessServices& services, const net::Request& request) {
  const Result<json> body = parse_body(request, {"expires_in_seconds"});
  if (!body) return net::Response::error(body.error());
  const Result<int64_t> lifetime_ms = seconds_field(*body, "expires_in_seconds", kDefaultJoinMs);
  if (!lifetime_ms) return net::Response::error(lifetime_ms.error());
  const Result<IssuedToken> issued = services.tokens.create_join(*lifetime_ms, actor_of(request));
  if (!issued) return net::Response::error(issued.error());
  return secret_answer(issued_token_json(*issued));
}

net::Response list_join_tokens(const AccessServices& services) {
  const Result<std::vector<TokenInfo>> tokens = services.tokens.list_joins();
  if (!tokens) return net::Response::error(tokens.error());
  json list = json::array();
  for (const TokenInfo& token : *tokens) list.push_back(token_json(token));
  return net::Response::json(200, write({{"join_tokens", std::move(list)}}));
}

net::Response join(const AccessServices& services, const net::Request& request) {
  if (auto locked = services.guard.refuse_when_locked(request)) return std::move(*locked);
  const Result<json> body = parse_body(request, {"token", "name"});
  if (!body) return net::Response::error(body.error());
  const Result<std::string> token = text_field(*body, "token");
  if (!token) return net::Response::error(token.error());
  const Result<std::string> name = text_field(*body, "name");
  if (!name) return net::Response::error(name.error());
  const Result<IssuedKey> issued =
      services.tokens.redeem_join(*token, *name, request.connection->peer_address);
  if (issued) return secret_answer(issued_key_json(*issued));
  if (issued.error().code == Code::kUnauthenticated) {
    services.guard.note_failure(request, issued.error().message);
  }
  return net::Response::error(issued.error());
}

using ServiceHandler = net::Response (*)(const AccessServices&, const net::Request&);

Status add(net::Router& router, const AccessServices& services, net::Method method,
           std::string pattern, ServiceHandler handler) {
  return router.add(
      {.method = method,
       .pattern = std::move(pattern),
       .role = Role::kAdmin,
       .handler = [services,
                   handler](const net::Request& request) { return handler(services, request); },
       .limits = {.max_body_bytes = kMaxBodyBytes}});
}

}  // namespace

Status register_key_routes(net::Router& router, AccessServices services) {
  using net::Method;
  const std::string keys = "/api/binnacle/v1/keys";
  TRY(add(router, services, Method::kGet, keys,
          [](const AccessServices& s, const net::Request&) { return list_keys(s); }));
  TRY(add(router, services, Method::kPost, keys, create_key));
  TRY(add(router, services, Method::kDelete, keys + "/{id}", revoke_key));
  TRY(add(router, services, Method::kPost, keys + "/{id}/rotate", rotate_key));
  const std::string join_tokens = "/api/binnacle/v1/join-tokens";
  TRY(add(router, services, Method::kGet, join_tokens,
          [](const AccessServices& s, const net::Request&) { return list_join_tokens(s); }));
  TRY(add(router, services, Method::kPost, join_tokens, create_join_token));
  // The token in the body is the credential.
  return router.add({.method = Method::kPost,
                     .pattern = "/api/binnacle/v1/join",
                     .group = net::RouteGroup::kLink,
                     .role = Role::kPublic,
                     .handler = [services](const net::Request& r) { return join(services, r); },
                     .limits = {.max_body_bytes = kMaxBodyBytes}});
}

}  // namespace binnacle::store::access
