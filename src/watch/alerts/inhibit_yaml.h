// The `inhibit_rules` section of alertmanager.yml, in its old and its new form. Pure.
#pragma once

#include <vector>

#include "base/yaml_reader.h"
#include "watch/alerts/alert_config.h"

namespace binnacle::watch::alerts {

// Warns of rules that inhibit each other's sources: while all of these alerts are active, nobody is
// told of any.
std::vector<InhibitRule> read_inhibit_rules(const YamlValue& list);

}  // namespace binnacle::watch::alerts
