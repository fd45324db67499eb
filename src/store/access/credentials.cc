#include "store/access/credentials.h"

#include "store/access/session_store.h"

#include <utility>

namespace binnacle::store::access {
namespace {

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// "Bearer  abc" with scheme "Bearer" -> "abc"; schemes compare without case (RFC 9110).
std::optional<std::string_view> after_scheme(std::string_view value, std::string_view scheme) {
  if (value.size() <= scheme.size() || value[scheme.size()] != ' ') return std::nullopt;
  if (!net::equal_ignoring_case(value.substr(0, scheme.size()), scheme)) return std::nullopt;
  value.remove_prefix(scheme.size());
  const size_t start = value.find_first_not_of(' ');
  return start == std::string_view::npos ? std::string_view{} : value.substr(start);
}

std::string key_of_basic(std::string_view encoded) {
  const std::optional<std::string> pair = decode_base64(encoded);
  if (!pair) return {};
  const size_t colon = pair->find(':');
  if (colon == std::string::npos) return {};
  std::string password = pair->substr(colon + 1);
  return password.empty() ? pair->substr(0, colon) : password;
}

Credentials key(std::string secret) { return {Credentials::Kind::kKey, std::move(secret)}; }

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  uint32_t buffer = 0;
  int bits = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    buffer = (buffer << 6 | static_cast<uint32_t>(digit)) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(buffer >> bits & 0xff);
  }
  return bytes;
}

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
