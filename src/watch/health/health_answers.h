// Health in the words of those who ask: the gRPC health protocol and HAProxy's agent check. A thing
// is named "cluster" (or not at all, by HAProxy), "node/NAME", "NODE/COMPONENT", or as its
// component, which is then as bad as the worst of that name. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "net/grpc_health_messages.h"
#include "watch/health/health_tree.h"

namespace binnacle::watch::health {

// nullopt: nothing has this name.
std::optional<Summary> summary_of(const HealthTree& tree, std::string_view name);

// Healthy and degraded serve; critical and failed do not. "" is this process, which serves: a sick
// cluster never makes its monitor sick.
std::optional<net::GrpcServing> serving_of(const HealthTree& tree, const std::string& service);
std::map<std::string, net::GrpcServing> all_serving(const HealthTree& tree);

// One line of HAProxy's agent check (its manual, "agent-check"): "up ready 87%", "drain", "down
// #reason", with a newline. An unknown thing changes nothing: "ready" alone would, so it is an
// empty line.
std::string agent_check_line(const HealthTree& tree, std::string_view asked);

}  // namespace binnacle::watch::health
