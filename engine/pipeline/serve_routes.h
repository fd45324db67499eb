// What `serve` tells about itself: /health, /ready, /live, /metrics, /distributed-stats, and
// /admin/reload.
#pragma once

#include <functional>
#include <string>

#include "base/instruments.h"
#include "engine/pipeline/orchestrator.h"
#include "net/router.h"

namespace binnacle::engine {

struct ServeRoutesDeps {
  const Orchestrator& orchestrator;
  Registry& registry;
  std::function<Status()> reload;
  std::function<bool()> draining;
};

Status register_serve_routes(net::Router& router, ServeRoutesDeps deps);
std::string distributed_stats_json(const OrchestratorStatus& status);

// Asks for a bearer key where one is set, and refuses pages of other origins. `key` "": none.
std::unique_ptr<net::Guard> make_key_guard(std::string key);

}  // namespace binnacle::engine
