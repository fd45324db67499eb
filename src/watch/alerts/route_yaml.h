// The tree of routes as alertmanager.yml writes it. Pure.
#pragma once

#include <functional>

#include "base/yaml_reader.h"
#include "watch/alerts/alert_config.h"

namespace binnacle::watch::alerts {

// The tree with what each route inherits filled in, and keys and ids made. Receivers, time
// intervals and escalations are those that `config` holds already.
Route read_route_tree(const YamlValue& root, const AlertConfig& config);

void visit_routes(Route& route, const std::function<void(Route&)>& visit);
void visit_routes(const Route& route, const std::function<void(const Route&)>& visit);

}  // namespace binnacle::watch::alerts
