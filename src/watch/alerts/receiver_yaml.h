// The `receivers` section of alertmanager.yml. Pure.
#pragma once

#include <map>
#include <string>

#include "base/yaml_reader.h"
#include "watch/alerts/global_yaml.h"
#include "watch/alerts/receiver_config.h"

namespace binnacle::watch::alerts {

std::map<std::string, Receiver, std::less<>> read_receivers(const YamlValue& list,
                                                            const GlobalSettings& global);

}  // namespace binnacle::watch::alerts
