// The written form of keys and one-use tokens: bnk_<id, 8 hex>_<secret, 64 hex>. The prefix tells a
// person (and a scanner for leaked secrets) what it is; the id names the row; only a hash of the
// secret is stored. Pure but for the Random handed in.
#pragma once

#include "base/random.h"

#include <optional>
#include <string>
#include <string_view>

namespace binnacle::store::access {

enum class SecretKind : uint8_t { kKey, kJoinToken, kLoginToken };  // bnk_, bnj_, bnl_

struct SecretText {
  std::string id;      // 8 lower-case hex digits
  std::string secret;  // 64 lower-case hex digits: 256 bits
};

SecretText make_secret(Random& random);
std::string write_secret(SecretKind kind, const SecretText& text);
std::optional<SecretText> parse_secret(SecretKind kind, std::string_view text);

// What is stored: SHA-256 of the secret's digits. Slow hashes are for guessable secrets; these are
// random.
std::string secret_hash(std::string_view secret);

}  // namespace binnacle::store::access
