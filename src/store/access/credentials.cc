#include "store/access/credentials.h"

#include "net/base64.h"
#include "store/access/session_store.h"

#include <utility>

namespace binnacle::store::access {
namespace {

// "Bearer  abc" with scheme "Bearer" -> "abc"; schemes compare without case (RFC 9110).
std::optional<std::string_view> after_scheme(std::string_view value, std::string_view scheme) {
  if (value.size() <= scheme.size() || value[scheme.size()] != ' ') return std::nullopt;
  if (!net::equal_ignoring_case(value.substr(0, scheme.size()), scheme)) return std::nullopt;
  value.remove_prefix(scheme.size());
  const size_t start = value.find_first_not_of(' ');
  return start == std::string_view::npos ? std::string_view{} : value.substr(start);
}

std::string key_of_basic(std::string_view encoded) {
  const std::optional<std::string> pair = net::decode_base64(encoded);
  if (!pair) return {};
  const size_t colon = pair->find(':');
  if (colon == std::string::npos) return {};
  std::string password = pair->substr(colon + 1);
  return password.empty() ? pair->substr(0, colon) : password;
}

Credentials key(std::string secret) { return {Credentials::Kind::kKey, std::move(secret)}; }

}  // namespace

Credentials credentials_of(const net::Request& request) {
  if (const std::string_view value = request.header("Authorization"); !value.empty()) {
    if (const auto token = after_scheme(value, "Bearer")) return key(std::string(*token));
    if (const auto pair = after_scheme(value, "Basic")) return key(key_of_basic(*pair));
    return key({});
  }
  if (const std::string_view value = request.header("X-API-Key"); !value.empty()) {
    return key(std::string(value));
  }
  if (auto id = request.cookie(kSessionCookie)) {
    return {Credentials::Kind::kSession, std::move(*id)};
  }
  return {};
}

}  // namespace binnacle::store::access
