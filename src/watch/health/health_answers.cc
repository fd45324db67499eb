#include "watch/health/health_answers.h"

#include <algorithm>

#include <fmt/format.h>

namespace binnacle::watch::health {
namespace {

using net::GrpcServing;

constexpr std::string_view kCluster = "cluster";
constexpr std::string_view kNodePrefix = "node/";

GrpcServing serving(Health health) {
  switch (health) {
    case Health::kHealthy:
    case Health::kDegraded:
      return GrpcServing::kServing;
    case Health::kCritical:
    case Health::kFailed:
      return GrpcServing::kNotServing;
    case Health::kUnknown:
      break;
  }
  return GrpcServing::kUnknown;
}

std::string name_of(const ComponentKey& key) {
  return key.first.empty() ? key.second : key.first + "/" + key.second;
}

// HAProxy takes a reason up to the line's end.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return text;
}

bool is_draining(const HealthTree& tree, std::string_view asked) {
  if (!asked.starts_with(kNodePrefix)) return false;
  const auto node = tree.nodes().find(std::string(asked.substr(kNodePrefix.size())));
  return node != tree.nodes().end() && node->second.fact &&
         node->second.fact->state == model::NodeState::kDraining;
}

}  // namespace

std::optional<Summary> summary_of(const HealthTree& tree, std::string_view name) {
  if (name == kCluster) return tree.cluster().sum;
  if (name.starts_with(kNodePrefix)) {
    const auto node = tree.nodes().find(std::string(name.substr(kNodePrefix.size())));
    if (node == tree.nodes().end()) return std::nullopt;
    return node->second.sum;
  }
  std::optional<Summary> worst;
  for (const auto& [key, row] : tree.components()) {
    if (key.second != name && name_of(key) != name) continue;
    if (!worst || badness(row.sum.health) > badness(worst->health)) worst = row.sum;
  }
  return worst;
}

std::optional<GrpcServing> serving_of(const HealthTree& tree, const std::string& service) {
  if (service.empty()) return GrpcServing::kServing;
  const auto sum = summary_of(tree, service);
  return sum ? std::optional(serving(sum->health)) : std::nullopt;
}

std::map<std::string, GrpcServing> all_serving(const HealthTree& tree) {
  std::map<std::string, GrpcServing> all = {
      {"", GrpcServing::kServing}, {std::string(kCluster), serving(tree.cluster().sum.health)}};
  for (const auto& [name, row] : tree.nodes())
    all[std::string(kNodePrefix) + name] = serving(row.sum.health);
  for (const auto& [key, row] : tree.components()) all[name_of(key)] = serving(row.sum.health);
  return all;
}

std::string agent_check_line(const HealthTree& tree, std::string_view asked) {
  if (is_draining(tree, asked)) return "drain\n";
  const auto sum = summary_of(tree, asked.empty() ? kCluster : asked);
  if (!sum || sum->health == Health::kUnknown) return "\n";
  if (serving(sum->health) == GrpcServing::kNotServing)
    return fmt::format("down #{}: {}\n", sum->deciding, one_line(sum->reason));
  // A weight of 0% would take no requests, which is not what degraded means.
  return fmt::format("up ready {}%\n", std::max(sum->score().value_or(100), 1));
}

}  // namespace binnacle::watch::health
