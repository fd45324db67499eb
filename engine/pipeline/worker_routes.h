// The HTTP side of a worker: /health, /metrics, /distributed-stats. Nothing of it can change
// anything, so that it asks for no key.
#pragma once

#include "base/error.h"
#include "base/instruments.h"
#include "engine/pipeline/worker_report.h"
#include "net/router.h"

namespace binnacle::engine {

// References outlive the router's server.
Status add_worker_routes(net::Router& router, const WorkerReport& report, Registry& registry);

}  // namespace binnacle::engine
