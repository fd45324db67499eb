// One entry of scrape_configs, checked: all but where its targets come from, which is discovery's.
// Plain values; defaults as Prometheus has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collect/scrape/scrape_protocol.h"
#include "model/relabel.h"
#include "net/http_client_config.h"

namespace binnacle::collect::scrape {

// What `global` says for the jobs that do not say it themselves.
struct ScrapeDefaults {
  int64_t interval_ms = 60'000;
  int64_t timeout_ms = 10'000;  // of a job: at most its interval

  // 0: no limit. All samples of a scrape that is over one are dropped and it counts as failed.
  uint64_t body_size_limit = 0;
  uint64_t sample_limit = 0;
  uint64_t label_limit = 0;
  uint64_t label_name_length_limit = 0;
  uint64_t label_value_length_limit = 0;
  uint64_t target_limit = 0;
  uint64_t keep_dropped_targets = 0;

  std::vector<ScrapeProtocol> protocols = default_protocols();  // in this order, each once

  bool operator==(const ScrapeDefaults&) const = default;
};

struct JobConfig : ScrapeDefaults {
  std::string job_name;
  std::string metrics_path = "/metrics";
  std::string scheme = "http";
  std::vector<std::pair<std::string, std::string>> params;  // in order; a name may come again

  bool honor_labels = false;
  bool honor_timestamps = true;
  bool track_timestamps_staleness = false;
  bool enable_compression = true;
  std::optional<ScrapeProtocol> fallback_protocol;  // of answers whose type says nothing to us

  std::vector<model::RelabelRule> relabel;         // of targets
  std::vector<model::RelabelRule> metric_relabel;  // of samples
  net::HttpClientConfig http;

  bool operator==(const JobConfig&) const = default;
};

}  // namespace binnacle::collect::scrape
