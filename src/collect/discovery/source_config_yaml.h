// Reads the fields by which a map of prometheus.yml (a scrape config, an entry of alertmanagers)
// says where its targets come from. Pure.
#pragma once

#include <vector>

#include "base/yaml_reader.h"
#include "collect/discovery/source_config.h"

namespace binnacle::collect::discovery {

// Takes `static_configs` and every `*_sd_configs` out of `map`, which the caller reads on and
// finishes. Mechanisms of Prometheus that do not exist here are warnings.
std::vector<SourceConfig> read_sources(YamlMap& map);

// Prometheus refuses a URL as a static target where no relabelling could mend it.
void check_static_targets(const YamlMap& map, const std::vector<SourceConfig>& sources);

}  // namespace binnacle::collect::discovery
