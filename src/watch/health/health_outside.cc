#include "watch/health/health_outside.h"

#include <utility>

#include "watch/health/health_answers.h"

namespace binnacle::watch::health {

Result<std::unique_ptr<HealthOutside>> HealthOutside::open(const OutsideOptions& options,
                                                           HealthService& service,
                                                           net::IoThreads& io, Registry& registry) {
  std::unique_ptr<HealthOutside> outside(new HealthOutside());
  if (!options.grpc.address.empty()) {
    net::GrpcHealthSource source;
    source.look = [&service](const std::string& name) {
      std::optional<net::GrpcServing> serving;
      service.read([&](const HealthTree& tree) { serving = serving_of(tree, name); });
      return serving;
    };
    source.list = [&service] {
      std::map<std::string, net::GrpcServing> all;
      service.read([&](const HealthTree& tree) { all = all_serving(tree); });
      return all;
    };
    TRY_ASSIGN(auto opened, net::GrpcHealthServer::open(options.grpc, std::move(source), registry));
    outside->grpc_ = std::move(opened);
    service.observe([grpc = std::weak_ptr(outside->grpc_)](const Changes&) {
      if (const auto server = grpc.lock()) server->changed();
    });
  }
  if (!options.agent_check_listen.empty()) {
    const auto answer = [&service](std::string_view asked) {
      std::string line;
      service.read([&](const HealthTree& tree) { line = agent_check_line(tree, asked); });
      return line;
    };
    TRY_ASSIGN(outside->agent_check_,
               net::ProbeListener::open(io.context(0), options.agent_check_listen, answer));
  }
  return outside;
}

std::string HealthOutside::grpc_address() const {
  return grpc_ == nullptr ? std::string() : grpc_->address();
}

std::string HealthOutside::agent_check_address() const {
  return agent_check_ == nullptr ? std::string() : agent_check_->address();
}

}  // namespace binnacle::watch::health
