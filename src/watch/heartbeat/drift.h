// Whether the nodes of a role run the same: each fact (agent, kernel, gpu_driver, engine, model,
// ...) of each node against what most nodes of its role say. What each node holds of a model
// (`layers`) is its own. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace binnacle::watch::heartbeat {

struct NodeFacts {
  std::string node;
  std::string role;
  std::map<std::string, std::string> facts;
};

struct Drift {
  std::string node;
  std::string fact;
  std::string value;
  std::string majority;
  size_t with_majority = 0;
  size_t of = 0;  // nodes of the role that tell this fact
  friend bool operator==(const Drift&, const Drift&) = default;
};

// By node, then fact. Where no value is that of more than half of at least three nodes, none
// deviates.
std::vector<Drift> find_drift(const std::vector<NodeFacts>& nodes);

std::string drift_text(const Drift& drift);

}  // namespace binnacle::watch::heartbeat
