#include "store/access/secret_text.h"

#include "store/access/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace binnacle::store::access {
namespace {

constexpr size_t kIdDigits = 8;
constexpr size_t kSecretDigits = 64;

std::string_view prefix_of(SecretKind kind) {
  switch (kind) {
    case SecretKind::kKey:
      return "bnk_";
    case SecretKind::kJoinToken:
      return "bnj_";
    case SecretKind::kLoginToken:
      return "bnl_";
  }
  return {};
}

std::string random_hex(Random& random, size_t digits) {
  std::string bytes(digits / 2, '\0');
  random.fill(bytes);
  return to_hex(bytes);
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

SecretText make_secret(Random& random) {
  return {.id = random_hex(random, kIdDigits), .secret = random_hex(random, kSecretDigits)};
}

std::string write_secret(SecretKind kind, const SecretText& text) {
  return fmt::format("{}{}_{}", prefix_of(kind), text.id, text.secret);
}

std::optional<SecretText> parse_secret(SecretKind kind, std::string_view text) {
  const std::string_view prefix = prefix_of(kind);
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  if (text.size() != kIdDigits + 1 + kSecretDigits || text[kIdDigits] != '_') return std::nullopt;
  const std::string_view id = text.substr(0, kIdDigits);
  const std::string_view secret = text.substr(kIdDigits + 1);
  if (!is_hex(id) || !is_hex(secret)) return std::nullopt;
  return SecretText{.id = std::string(id), .secret = std::string(secret)};
}

std::string secret_hash(std::string_view secret) { return sha256(secret); }

}  // namespace binnacle::store::access
