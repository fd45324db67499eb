// What is asked of the metric store itself: Prometheus' /api/v1/status/tsdb and admin calls, and
// our own to cut and merge blocks at once. Shapes are Prometheus' own. Source: Prometheus
// documentation, "HTTP API".
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "net/router.h"
#include "store/metrics/metric_store.h"

namespace binnacle::show {

struct TsdbApiDeps {
  // Null while it is being loaded: 503.
  std::function<std::shared_ptr<store::metrics::MetricStore>()> store;
  const Clock& clock;         // outlives the router
  std::string backup_folder;  // online backups are made below
};

Status register_tsdb_api(net::Router& router, TsdbApiDeps deps);

}  // namespace binnacle::show
