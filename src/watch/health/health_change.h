// A change of health of a check, a component, a node or the cluster: what is published, kept in the
// history and told to callbacks. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.h"
#include "watch/health/health.h"

namespace binnacle::watch::health {

enum class Scope : uint8_t { kCheck, kComponent, kNode, kCluster };
std::string_view scope_name(Scope scope);  // "component"
std::optional<Scope> scope_of_name(std::string_view name);

struct HealthChange {
  int64_t id = 0;     // of the history; 0: not kept yet
  int64_t at_ms = 0;  // wall
  Scope scope = Scope::kCheck;
  std::string name;       // of what changed
  std::string component;  // of a check; of a component its name
  std::string node;       // of which it is a part; of a node its name; empty: of the cluster
  Health from = Health::kUnknown;
  Health to = Health::kUnknown;
  std::optional<int> score;  // not of checks
  std::string deciding;      // the check that decided, or "node/NAME"
  std::string reason;
  std::vector<std::string> evidence = {};  // of a check; not kept in the history
};

// health.check_failed (critical or failed), _degraded, _unknown, _recovered; and
// health.component_changed, health.node_changed, health.cluster_changed. `data` tells the rest.
model::Event event_of(const HealthChange& change, int64_t cause_id);

}  // namespace binnacle::watch::health
