// The doors beside HTTP by which others ask for health: the gRPC health service and HAProxy's agent
// check. The latter knows no keys, so it is for loopback unless the operator says otherwise. Opened
// after the service is made and before it starts; closed after it stopped.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/instruments.h"
#include "net/grpc_health_server.h"
#include "net/io_threads.h"
#include "net/probe_listener.h"
#include "watch/health/health_service.h"

namespace binnacle::watch::health {

struct OutsideOptions {
  net::GrpcHealthServerOptions grpc;  // no address: off
  std::string agent_check_listen;     // empty: off
};

class HealthOutside {
 public:
  // kFailedPrecondition: an address cannot be bound.
  static Result<std::unique_ptr<HealthOutside>> open(const OutsideOptions& options,
                                                     HealthService& service, net::IoThreads& io,
                                                     Registry& registry);

  std::string grpc_address() const;         // empty: off
  std::string agent_check_address() const;  // empty: off

 private:
  HealthOutside() = default;
  // Shared with an observer of the service.
  std::shared_ptr<net::GrpcHealthServer> grpc_;
  std::unique_ptr<net::ProbeListener> agent_check_;
};

}  // namespace binnacle::watch::health
