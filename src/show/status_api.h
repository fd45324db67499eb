// What Prometheus' API tells of the server itself: status/*, features and notifications.
// status/tsdb is tsdb_api's. Source: Prometheus documentation, "HTTP API", "Status".
#pragma once

#include <memory>

#include "base/error.h"
#include "net/router.h"
#include "show/prometheus_api.h"

namespace binnacle::show {

Status register_status_api(net::Router& router, std::shared_ptr<const PrometheusApiDeps> deps);

}  // namespace binnacle::show
