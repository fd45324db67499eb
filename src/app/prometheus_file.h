// A whole prometheus.yml, read and checked by Prometheus' rules: what `binnacle server
// --prometheus-config` runs by. A plain value; `warnings` names every setting that is known to
// Prometheus and has no effect here, so that nothing is passed over in silence.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "collect/discovery/source_config.h"
#include "collect/scrape/scrape_config_yaml.h"
#include "collect/ship/remote_read_options.h"
#include "collect/ship/shipper_options.h"
#include "model/labels.h"
#include "model/relabel.h"
#include "net/http_client_config.h"

namespace binnacle::app {

using NamedValues = std::vector<std::pair<std::string, std::string>>;

struct PrometheusGlobal {
  collect::scrape::ScrapeDefaults scrape;
  int64_t evaluation_interval_ms = 60'000;
  int64_t rule_query_offset_ms = 0;
  model::Labels external_labels;
};

struct PrometheusAlertmanager {
  std::vector<collect::discovery::SourceConfig> sources;
  std::vector<model::RelabelRule> relabel;        // of the Alertmanagers
  std::vector<model::RelabelRule> alert_relabel;  // of the alerts for them
  std::string scheme = "http";
  std::string path_prefix;
  int64_t timeout_ms = 10'000;
  net::HttpClientConfig http;
};

struct PrometheusFile {
  PrometheusGlobal global;
  // Of the file itself and of scrape_config_files, in order.
  std::vector<collect::scrape::ScrapeConfig> scrape_configs;
  std::vector<std::string> rule_files;  // globs
  std::vector<model::RelabelRule> alert_relabel;
  std::vector<PrometheusAlertmanager> alertmanagers;
  // Both without external labels, and without a name where the file has none: remote_options.h.
  std::vector<collect::ship::ShipperOptions> remote_writes;
  std::vector<collect::ship::RemoteReadOptions> remote_reads;
  std::vector<std::string> warnings;  // "prometheus.yml:12: ..."
};

// "" for a variable that is not set.
using Environment = std::function<std::string(const std::string& name)>;
Environment process_environment();

// kInvalidArgument with every problem on a line of its own.
Result<PrometheusFile> load_prometheus_file(FileSystem& files, const std::string& path,
                                            const Environment& environment);

}  // namespace binnacle::app
