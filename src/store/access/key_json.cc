#include "store/access/key_json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_parse.h"

namespace binnacle::store::access {
namespace {

using nlohmann::json;

constexpr int64_t kMaxSeconds = int64_t{100} * 366 * 24 * 3600;

json time_or_null(int64_t ms) { return ms == 0 ? json(nullptr) : json(format_rfc3339(ms)); }

}  // namespace

json key_json(const KeyInfo& info) {
  return {{"id", info.id},
          {"name", info.name},
          {"role", role_name(info.role)},
          {"created", format_rfc3339(info.created_ms)},
          {"created_by", info.created_by},
          {"expires", time_or_null(info.expires_ms)},
          {"revoked", time_or_null(info.revoked_ms)},
          {"last_used", time_or_null(info.last_used_ms)},
          {"scopes", parse_json(info.scopes)}};
}

json issued_key_json(const IssuedKey& issued) {
  json value = key_json(issued.info);
  value["key"] = issued.key;
  return value;
}

json token_json(const TokenInfo& info) {
  return {{"id", info.id},
          {"created", format_rfc3339(info.created_ms)},
          {"created_by", info.created_by},
          {"expires", format_rfc3339(info.expires_ms)},
          {"used", time_or_null(info.used_ms)},
          {"used_by", info.used_by}};
}

json issued_token_json(const IssuedToken& issued) {
  return {
      {"id", issued.id}, {"token", issued.token}, {"expires", format_rfc3339(issued.expires_ms)}};
}

Result<NewKey> new_key_from_json(const json& body, int64_t now_ms) {
  NewKey key;
  TRY_ASSIGN(key.name, text_field(body, "name"));
  TRY_ASSIGN(const std::string role, text_field(body, "role"));
  const std::optional<Role> known = role_from_name(role);
  if (!known) {
    return fail(Code::kInvalidArgument,
                fmt::format("key role: unknown ({:.100}); choose admin, operator, viewer, ingest, "
                            "agent or inference",
                            role));
  }
  key.role = *known;
  TRY_ASSIGN(const int64_t lifetime_ms, seconds_field(body, "expires_in_seconds", 0));
  if (lifetime_ms > 0) key.expires_ms = now_ms + lifetime_ms;
  if (const auto it = body.find("scopes"); it != body.end()) {
    if (!it->is_object()) return fail(Code::kInvalidArgument, "key scopes: not a JSON object");
    key.scopes = it->dump(-1, ' ', false, json::error_handler_t::replace);
  }
  return key;
}

Result<int64_t> seconds_field(const json& body, const char* name, int64_t absent_ms) {
  const auto it = body.find(name);
  if (it == body.end() || it->is_null()) return absent_ms;
  // A whole number beyond int64 comes out negative or too large, and is refused too.
  if (it->is_number_integer() && it->get<int64_t>() >= 0 && it->get<int64_t>() <= kMaxSeconds) {
    return it->get<int64_t>() * 1000;
  }
  return fail(
      Code::kInvalidArgument,
      fmt::format("request body: \"{}\" must be whole seconds, 0 to {}", name, kMaxSeconds));
}

Result<std::string> text_field(const json& body, const char* name) {
  const auto it = body.find(name);
  if (it == body.end() || !it->is_string()) {
    return fail(Code::kInvalidArgument, fmt::format("request body: \"{}\" must be a text", name));
  }
  return it->get<std::string>();
}

}  // namespace binnacle::store::access
