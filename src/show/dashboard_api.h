// JSON for dashboards and scripts that poll: GET /api/metrics, /api/devices, /api/throughput,
// /api/stats and POST /api/devices/{id}/status. Fed by instant queries on the canonical series; an
// empty cluster gives empty answers, and a value that is not known is null. Shapes: docs/api.md.
#pragma once

#include <functional>

#include "base/clock.h"
#include "model/querier.h"
#include "net/router.h"
#include "query/promql/query_meter.h"
#include "show/device_status.h"

namespace binnacle::show {

struct DashboardApiDeps {
  // All references outlive the router; functions may be called from any thread.
  model::Queryable& store;
  const Clock& clock;
  std::function<query::promql::QueryLimits()> limits;  // as they stand now
  DeviceStatuses& statuses;
  net::RequestQueue* queue = nullptr;  // of queries; null: the server's pool
};

Status register_dashboard_api(net::Router& router, DashboardApiDeps deps);

}  // namespace binnacle::show
