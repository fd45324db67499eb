// alertmanager.yml as the API shows it: written anew from what was read, so that neither a secret
// nor a comment that holds one gets out, and so that Alertmanager's tools can read it. Pure.
#pragma once

#include <string>

#include "base/config_yaml.h"

namespace binnacle::watch::alerts {

// Secrets of `global` and `receivers` become `<secret>`. A webhook's address keeps its host,
// because amtool wants an address there. Extensions (alert_extensions.h) are shown where they stand
// in a second document; those of the first one are left out, since amtool refuses them.
std::string original_without_secrets(const YamlNode& first, const YamlNode& second);

}  // namespace binnacle::watch::alerts
