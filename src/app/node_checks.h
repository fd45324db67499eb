// Checks that ran on nodes: what their agents tell over the link is pushed into health, under the
// node's name. Called on I/O threads.
#pragma once

#include "link/link_observer.h"
#include "watch/health/health_service.h"

namespace binnacle::app {

class NodeChecks final : public link::LinkObserver {
 public:
  // Outlives it.
  explicit NodeChecks(watch::health::HealthService& health) : health_(health) {}

  void check_result(const model::Node& node, const link::CheckResult& result) override;

 private:
  watch::health::HealthService& health_;
};

}  // namespace binnacle::app
