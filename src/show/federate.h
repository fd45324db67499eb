// GET /federate: the newest samples of the series that match, in the text format 0.0.4, for another
// server to scrape. Source: Prometheus documentation, "Federation"; "Exposition formats".
#pragma once

#include <memory>

#include "base/error.h"
#include "net/router.h"
#include "show/prometheus_api.h"

namespace binnacle::show {

Status register_federate(net::Router& router, std::shared_ptr<const PrometheusApiDeps> deps);

}  // namespace binnacle::show
