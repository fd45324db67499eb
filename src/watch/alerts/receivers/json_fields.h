// JSON as the services want it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace binnacle::watch::alerts {

void put_if_any(nlohmann::ordered_json& out, const char* name, std::string value);
// In one line; broken UTF-8 becomes U+FFFD.
std::string json_text(const nlohmann::ordered_json& value);

}  // namespace binnacle::watch::alerts
