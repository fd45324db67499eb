#include "watch/health/roll_up.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace binnacle::watch::health {
namespace {

constexpr double kCriticalWeight = 2;
constexpr double kContributingWeight = 1;

size_t index(Health health) { return static_cast<size_t>(health); }

// By Health. An unknown check is worth half: neither good nor bad.
constexpr std::array<double, 5> kPoints = {100, 60, 30, 0, 50};
constexpr std::array<double, 5> kCap = {100, 89, 49, 19, 69};

}  // namespace

int badness(Health health) {
  constexpr std::array<int, 5> kBadness = {0, 2, 3, 4, 1};
  return kBadness.at(index(health));
}

std::optional<int> Summary::score() const {
  if (checks[0] + checks[1] + checks[2] + checks[3] == 0) return std::nullopt;
  return static_cast<int>(std::lround(std::min(points / weight, kCap.at(index(health)))));
}

void RollUp::decide(Health health, Criticality criticality, std::string_view deciding,
                    std::string_view reason) {
  int bad = badness(health);
  if (criticality == Criticality::kContributing) {
    if (health == Health::kUnknown) bad = -1;
    if (bad > badness(Health::kDegraded)) {
      health = Health::kDegraded;
      bad = badness(health);
    }
  }
  sum_.counted = true;
  if (bad <= badness_) return;
  badness_ = bad;
  sum_.health = health;
  sum_.deciding = deciding;
  sum_.reason = reason;
}

void RollUp::add_check(std::string_view name, Health health, std::string_view reason,
                       Criticality criticality, bool counted) {
  if (!counted || criticality == Criticality::kInformative) return;
  const double weight =
      criticality == Criticality::kCritical ? kCriticalWeight : kContributingWeight;
  sum_.points += weight * kPoints.at(index(health));
  sum_.weight += weight;
  sum_.checks.at(index(health)) += 1;
  decide(health, criticality, name, reason);
}

void RollUp::add(const Summary& part, Criticality criticality) {
  if (!part.counted || criticality == Criticality::kInformative) return;
  sum_.points += part.points;
  sum_.weight += part.weight;
  for (size_t i = 0; i < part.checks.size(); ++i) sum_.checks.at(i) += part.checks.at(i);
  decide(part.health, criticality, part.deciding, part.reason);
}

// A good check's message is another with each reading, which is no news to the whole.
Summary RollUp::finish() const {
  Summary out = sum_;
  if (out.health == Health::kHealthy) out.reason = "all that counts is healthy";
  return out;
}

std::optional<NodeVerdict> verdict_of(const NodeFact& node) {
  switch (node.state) {
    case model::NodeState::kUp:
      return NodeVerdict{Health::kHealthy, "up"};
    case model::NodeState::kSuspect:
      return NodeVerdict{Health::kDegraded, "suspected: it does not answer as it should"};
    case model::NodeState::kDraining:
      return NodeVerdict{Health::kDegraded, "draining"};
    case model::NodeState::kDown:
      return NodeVerdict{Health::kFailed, "down"};
    case model::NodeState::kUnknown:
      if (node.overdue) return NodeVerdict{Health::kCritical, "expected, and never seen"};
      return NodeVerdict{Health::kUnknown, "expected, not seen yet"};
    case model::NodeState::kLeft:
      return std::nullopt;
  }
  CHECK(false);
  return std::nullopt;
}

std::string unknown_because_of(const NodeFact& node) {
  switch (node.state) {
    case model::NodeState::kDown:
      return "node " + node.name + " is down";
    case model::NodeState::kLeft:
      return "node " + node.name + " left";
    case model::NodeState::kUnknown:
      return "node " + node.name + " was not seen yet";
    default:
      return "";
  }
}

}  // namespace binnacle::watch::health
