// What follows for a whole from its parts: checks make a component, components a node, nodes the
// cluster. Pure values. The worst of the critical parts decides; contributing ones can bring the
// whole down to degraded; informative ones and those in maintenance are not counted. Bad news goes
// before none, none before good: a whole of which a critical part is unknown is unknown unless
// something is known to be bad; an unknown contributing one only lowers the score. The score is the
// mean over all counted checks below (critical ones count twice), capped by what decided.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/node.h"
#include "watch/health/check_spec.h"
#include "watch/health/health.h"

namespace binnacle::watch::health {

// What a whole came to.
struct Summary {
  Health health = Health::kUnknown;
  std::string deciding;            // the check that decided, or "node/NAME" where its state did
  std::string reason = "no data";  // of a healthy whole always the same
  std::array<uint32_t, 5> checks = {};  // counted ones below, by Health
  double points = 0;                    // of the mean, 100 each
  double weight = 0;
  bool counted = false;  // something below counts

  std::optional<int> score() const;  // 0 to 100; nullopt: nothing to judge by
  friend bool operator==(const Summary&, const Summary&) = default;
};

class RollUp {
 public:
  // `counted`: not in maintenance.
  void add_check(std::string_view name, Health health, std::string_view reason,
                 Criticality criticality, bool counted = true);
  // A whole of the level below, critical as such or not.
  void add(const Summary& part, Criticality criticality);
  Summary finish() const;

 private:
  void decide(Health health, Criticality criticality, std::string_view deciding,
              std::string_view reason);
  Summary sum_;
  int badness_ = -2;  // of what decided so far; below all others: nothing did
};

// A node as the failure detector sees it, and since when.
struct NodeFact {
  std::string name;
  model::NodeState state = model::NodeState::kUnknown;
  int64_t since_ms = 0;
  bool overdue = false;  // never seen, and the grace for joining is over
};

// nullopt: the node is not counted, nor anything on it.
struct NodeVerdict {
  Health health;
  std::string reason;
};
std::optional<NodeVerdict> verdict_of(const NodeFact& node);

// Why nothing on the node can be judged; empty: it can.
std::string unknown_because_of(const NodeFact& node);

// From worst to best: failed, critical, degraded, unknown, healthy.
int badness(Health health);

}  // namespace binnacle::watch::health
