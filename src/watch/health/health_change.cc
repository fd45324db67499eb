#include "watch/health/health_change.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/check.h"

namespace binnacle::watch::health {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 4> kScopes = {"check", "component", "node", "cluster"};

std::string kind_of(const HealthChange& change) {
  if (change.scope != Scope::kCheck)
    return "health." + std::string(scope_name(change.scope)) + "_changed";
  switch (change.to) {
    case Health::kHealthy:
      return "health.check_recovered";
    case Health::kDegraded:
      return "health.check_degraded";
    case Health::kCritical:
    case Health::kFailed:
      return "health.check_failed";
    case Health::kUnknown:
      return "health.check_unknown";
  }
  CHECK(false);
  return "";
}

}  // namespace

std::string_view scope_name(Scope scope) { return kScopes.at(static_cast<size_t>(scope)); }

std::optional<Scope> scope_of_name(std::string_view name) {
  for (size_t i = 0; i < kScopes.size(); ++i) {
    if (kScopes.at(i) == name) return static_cast<Scope>(i);
  }
  return std::nullopt;
}

model::Event event_of(const HealthChange& change, int64_t cause_id) {
  json data = {{"from", health_name(change.from)},
               {"to", health_name(change.to)},
               {"reason", change.reason},
               {"deciding_check", change.deciding}};
  if (!change.component.empty()) data["component"] = change.component;
  if (!change.node.empty()) data["node"] = change.node;
  if (change.score) data["score"] = *change.score;
  if (!change.evidence.empty()) data["evidence"] = change.evidence;
  return {.time_ms = change.at_ms,
          .kind = kind_of(change),
          .subject = change.name,
          .cause_id = cause_id,
          .data = data.dump(-1, ' ', false, json::error_handler_t::replace)};
}

}  // namespace binnacle::watch::health
