// Reads `scrape_configs` of prometheus.yml, with what they take over from `global`. Pure.
#pragma once

#include <vector>

#include "base/yaml_reader.h"
#include "collect/discovery/source_config.h"
#include "collect/scrape/job_config.h"

namespace binnacle::collect::scrape {

struct ScrapeConfig {
  JobConfig job;
  std::vector<discovery::SourceConfig> sources;
};

// Takes the fields of `global` that speak of scraping.
ScrapeDefaults read_scrape_defaults(YamlMap& global);

// One entry of `scrape_configs`. What is wrong is a problem of its document.
ScrapeConfig read_scrape_config(const YamlValue& value, const ScrapeDefaults& defaults);

}  // namespace binnacle::collect::scrape
