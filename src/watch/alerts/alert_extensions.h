// What alertmanager.yml has not: escalations, maintenance windows, programs as receivers, rates.
// They stand under `x-binnacle`, best in a second YAML document of the file, which Alertmanager and
// amtool do not read; also at the top, in a route or in a receiver of the first one, which these
// refuse then. Pure.
#pragma once

#include <string_view>

#include "base/yaml_reader.h"
#include "watch/alerts/alert_config.h"

namespace binnacle::watch::alerts {

inline constexpr std::string_view kExtensionKey = "x-binnacle";

// Of one route: the name of an escalation.
void read_route_extension(YamlMap& map, const AlertConfig& config, Route& route);
// Of one receiver: programs and the rate of each of its integrations, which it has already.
void read_receiver_extension(YamlMap& map, Receiver& receiver);

// The section for the whole file, in two steps: routes may name escalations, and what stands here
// of routes and receivers needs those to be read.
void read_escalations(YamlMap& section, AlertConfig& config);
void read_rest_of_extensions(YamlMap& section, AlertConfig& config);

}  // namespace binnacle::watch::alerts
