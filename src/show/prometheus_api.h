// Prometheus' HTTP API over the metric store and the query engine: queries, metadata, status,
// rules, federation and remote read. Shapes, statuses and words are Prometheus' own. Source:
// Prometheus documentation, "HTTP API", "Federation", "Remote Read API".
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/config_value.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "model/querier.h"
#include "model/sample.h"
#include "net/router.h"
#include "query/promql/query_log.h"
#include "query/promql/query_meter.h"
#include "watch/rules/alertmanager_urls.h"

namespace binnacle::collect::scrape {
class TargetStatuses;
}

namespace binnacle::watch::rules {
class RulesView;
}

namespace binnacle::show {

using MetadataList = std::vector<std::pair<std::string, model::MetricMetadata>>;  // by name

// What status/* tells of the server as it is now.
struct ServerFacts {
  int64_t started_ms = 0;
  int64_t config_loaded_ms = 0;
  bool config_good = true;  // the last reload took what it found
  std::string host_name;
  std::string folder;     // of the data
  std::string retention;  // "30d"
  int64_t collect_interval_ms = 0;
  size_t threads = 0;
  uint64_t replayed_bytes = 0;               // of the log, by the start
  uint64_t replay_bytes = 0;                 // of these
  std::map<std::string, std::string> flags;  // Prometheus' names of our settings
};

struct PrometheusApiDeps {
  // All references outlive the router; functions may be called from any thread.
  model::Queryable& store;
  const Clock& clock;
  std::function<query::promql::QueryLimits()> limits;  // as they stand now
  query::promql::QueryLog& log;
  net::RequestQueue* queue = nullptr;  // of the heavy calls; null: the server's pool
  ThreadPool* helpers = nullptr;       // of queries of many series; null: none
  std::function<MetadataList()> metadata;
  std::function<ConfigMap()> external_labels;
  std::function<ServerFacts()> facts;
  std::string version;
  std::string revision;
  const collect::scrape::TargetStatuses* targets = nullptr;       // null: nothing is scraped
  const watch::rules::RulesView* rules = nullptr;                 // null: there are none
  std::function<watch::rules::AlertmanagerUrls()> alertmanagers;  // outside; null: there are none
};

Status register_prometheus_api(net::Router& router, PrometheusApiDeps deps);

}  // namespace binnacle::show
