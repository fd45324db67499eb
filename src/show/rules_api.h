// The calls of Prometheus' API about rules: /api/v1/rules, /api/v1/alerts, /api/v1/alertmanagers.
#pragma once

#include <memory>

#include "base/error.h"
#include "net/router.h"
#include "show/prometheus_api.h"

namespace binnacle::show {

Status register_rules_api(net::Router& router,
                          const std::shared_ptr<const PrometheusApiDeps>& deps);

}  // namespace binnacle::show
