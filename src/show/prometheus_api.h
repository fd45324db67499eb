// The Prometheus HTTP API as far as plain selectors answer it: query, query_range, labels, label
// values, series, and the build information that Grafana asks for. Shapes and statuses are
// Prometheus' own. Source: Prometheus documentation, "HTTP API".
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/error.h"
#include "model/querier.h"
#include "net/router.h"
#include "query/promql/evaluate.h"

namespace binnacle::show {

struct PrometheusApiDeps {
  model::Queryable& store;                             // outlives the router
  const Clock& clock;                                  // outlives the router
  std::function<query::promql::QueryLimits()> limits;  // as they stand now; any thread
  std::string version;
};

Status register_prometheus_api(net::Router& router, PrometheusApiDeps deps);

}  // namespace binnacle::show
