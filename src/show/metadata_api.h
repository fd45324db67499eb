// What there is to ask for: labels, label values, series, and the metadata of metrics. Source:
// Prometheus documentation, "HTTP API", "Querying metadata".
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/router.h"
#include "show/prometheus_api.h"

namespace binnacle::show {

Status register_metadata_api(net::Router& router, std::shared_ptr<const PrometheusApiDeps> deps);

// The name that "U__http_2e_status" stands for: paths cannot hold all of UTF-8. What is not such a
// text is the name itself.
std::string unescape_label_name(std::string_view text);

std::string_view metric_type_text(model::MetricType type);  // "gaugehistogram"

}  // namespace binnacle::show
