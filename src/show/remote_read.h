// POST /api/v1/read: Prometheus' remote read. Answers samples in one message or, where the reader
// takes that, XOR chunks in frames as they are made. Source: Prometheus documentation, "Remote Read
// API".
#pragma once

#include <memory>

#include "base/error.h"
#include "net/router.h"
#include "show/prometheus_api.h"

namespace binnacle::show {

Status register_remote_read(net::Router& router, std::shared_ptr<const PrometheusApiDeps> deps);

}  // namespace binnacle::show
