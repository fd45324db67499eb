// Reads an entry of `kubernetes_sd_configs`. Pure.
#pragma once

#include "base/yaml_reader.h"
#include "collect/discovery/source_config.h"

namespace binnacle::collect::discovery {

KubernetesSdConfig read_kubernetes_sd(const YamlValue& value);

}  // namespace binnacle::collect::discovery
