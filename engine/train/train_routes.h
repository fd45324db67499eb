// What a trainer answers over HTTP: /metrics, /health, /live, /ready.
#pragma once

#include <functional>

#include "base/error.h"
#include "base/instruments.h"
#include "net/router.h"

namespace binnacle::engine {

struct TrainHealth {
  bool training = false;  // texts and checkpoint are read
  bool stalled = false;
  double stalled_seconds = 0;
  int64_t step = 0;
  int64_t steps = 0;
};

// `health` is asked on I/O threads; both outlive the router.
Status add_train_routes(net::Router& router, Registry& registry,
                        std::function<TrainHealth()> health);

}  // namespace binnacle::engine
