// What is scraped: /api/v1/targets, /api/v1/targets/metadata, /api/v1/scrape_pools. Source:
// Prometheus documentation, "HTTP API", "Targets".
#pragma once

#include <memory>

#include "base/error.h"
#include "net/router.h"
#include "show/prometheus_api.h"

namespace binnacle::show {

Status register_targets_api(net::Router& router, std::shared_ptr<const PrometheusApiDeps> deps);

}  // namespace binnacle::show
