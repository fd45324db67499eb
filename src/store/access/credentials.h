// What a request shows of its caller: a key in one of the forms that clients know, or the login
// cookie. Pure functions.
#pragma once

#include "net/http.h"

#include <string>
#include <string_view>

namespace binnacle::store::access {

struct Credentials {
  enum class Kind : uint8_t { kNone, kKey, kSession };
  Kind kind = Kind::kNone;
  std::string secret;
};

// The first of `Authorization: Bearer KEY`, `Authorization: Basic USER:KEY` (any user; a key as
// user with no password is taken too), `X-API-Key: KEY`, cookie binnacle_session. An Authorization
// header that is neither counts as a wrong key, so that a typing error does not pass for a caller
// without one.
Credentials credentials_of(const net::Request& request);

}  // namespace binnacle::store::access
