#include "watch/alerts/receivers/json_fields.h"

#include <nlohmann/json.hpp>

namespace binnacle::watch::alerts {

using nlohmann::ordered_json;

void put_if_any(ordered_json& out, const char* name, std::string value) {
  if (!value.empty()) out[name] = std::move(value);
}

std::string json_text(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace binnacle::watch::alerts
