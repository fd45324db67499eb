// The calls of Prometheus' API that take an expression: query, query_range, query_exemplars,
// format_query and parse_query. Source: Prometheus documentation, "HTTP API".
#pragma once

#include <memory>

#include "base/error.h"
#include "net/router.h"
#include "show/prometheus_api.h"

namespace binnacle::show {

Status register_query_api(net::Router& router, std::shared_ptr<const PrometheusApiDeps> deps);

}  // namespace binnacle::show
