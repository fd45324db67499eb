// Reads `scrape_configs` of prometheus.yml, with what they take over from `global`. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "base/yaml_reader.h"
#include "collect/discovery/source_config.h"
#include "collect/scrape/job_config.h"

namespace binnacle::collect::scrape {

// What `global` says for jobs that do not say it themselves. 0: no limit.
struct ScrapeDefaults {
  int64_t interval_ms = 60'000;
  int64_t timeout_ms = 10'000;  // of a job: at most its interval
  uint64_t body_size_limit = 0;
  uint64_t sample_limit = 0;
  uint64_t label_limit = 0;
  uint64_t label_name_length_limit = 0;
  uint64_t label_value_length_limit = 0;
  uint64_t target_limit = 0;
  uint64_t keep_dropped_targets = 0;
};

struct ScrapeConfig {
  JobConfig job;
  std::vector<discovery::SourceConfig> sources;
};

// Takes the fields of `global` that speak of scraping.
ScrapeDefaults read_scrape_defaults(YamlMap& global);

// One entry of `scrape_configs`. What is wrong is a problem of its document.
ScrapeConfig read_scrape_config(const YamlValue& value, const ScrapeDefaults& defaults);

}  // namespace binnacle::collect::scrape
