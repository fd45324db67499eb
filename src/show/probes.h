// /health, /live, /ready, /-/healthy, /-/ready, /version and /metrics: they speak of this process
// alone. Live means that its loops turn; ready means that what it needs to serve is there. A sick
// cluster changes neither.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/instruments.h"
#include "net/router.h"

namespace binnacle::show {

// Cheap enough for the I/O thread; any thread. An error's message says what is missing.
struct ProbeCheck {
  std::string name;
  std::function<Status()> check;
};

struct ProbeDeps {
  Registry& registry;  // outlives the router
  std::vector<ProbeCheck> live;
  std::vector<ProbeCheck> ready;  // what is ready is live too
  std::string version;
  std::string revision;
};

Status register_probes(net::Router& router, ProbeDeps deps);

}  // namespace binnacle::show
