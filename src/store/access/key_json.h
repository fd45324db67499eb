// Keys and tokens as the API and the command line show them; the fields are listed in
// docs/access.md. Pure functions.
#pragma once

#include "store/access/key_store.h"
#include "store/access/token_store.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>

namespace binnacle::store::access {

nlohmann::json key_json(const KeyInfo& info);
nlohmann::json issued_key_json(const IssuedKey& issued);  // with "key", the secret
nlohmann::json token_json(const TokenInfo& info);
nlohmann::json issued_token_json(const IssuedToken& issued);  // with "token", the secret

// A new key as the API takes it: name, role, expires_in_seconds, scopes. kInvalidArgument names the
// field.
Result<NewKey> new_key_from_json(const nlohmann::json& body, int64_t now_ms);

// Whole seconds, as milliseconds; `absent_ms` when the field is not there or null.
Result<int64_t> seconds_field(const nlohmann::json& body, const char* name, int64_t absent_ms);
Result<std::string> text_field(const nlohmann::json& body, const char* name);

}  // namespace binnacle::store::access
