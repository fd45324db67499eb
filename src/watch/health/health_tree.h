// All checks with what is thought of them, and what follows for components, nodes and the cluster.
// No clocks, no I/O; one thread at a time. Every call says what changed, causes first; only what a
// change touches is worked out anew.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "watch/health/check_spec.h"
#include "watch/health/check_state.h"
#include "watch/health/health_change.h"
#include "watch/health/roll_up.h"

namespace binnacle::watch::health {

// While it lasts, the check is shown and not counted.
struct Maintenance {
  int64_t until_ms = 0;  // wall; 0: none
  std::string reason;
};

struct CheckRow {
  CheckSpec spec;
  CheckState state;
  Maintenance maintenance;
  bool maintained = false;  // as of the last look
};

struct ComponentRow {
  std::set<std::string> checks;
  Summary sum;
  int64_t since_ms = 0;
};

struct NodeRow {
  std::optional<NodeFact> fact;  // nullopt: known by its checks alone
  Criticality criticality = Criticality::kCritical;
  std::set<std::string> components;
  Summary sum;
  int64_t since_ms = 0;
};

struct ClusterRow {
  Summary sum;
  int64_t since_ms = 0;
};

// A node as it is now, and how much the cluster depends on it.
struct NodeUpdate {
  NodeFact fact;
  Criticality criticality = Criticality::kCritical;
};

using ComponentKey = std::pair<std::string, std::string>;  // node ("": the cluster's), name
using Changes = std::vector<HealthChange>;

class HealthTree {
 public:
  explicit HealthTree(std::string cluster) : cluster_name_(std::move(cluster)) {}

  // Adds or replaces; what is thought of a check of the same name and kind stays.
  Changes put(CheckSpec spec, const Moment& now);
  Changes remove(const std::string& name, const Moment& now);
  // Nothing for a check that is not there.
  Changes read(const std::string& name, const Reading& reading, const Moment& now);
  // Not of checks that are not there.
  Changes maintain(const std::string& name, Maintenance maintenance, const Moment& now);
  Changes set_nodes(const std::vector<NodeUpdate>& nodes, const Moment& now);
  // Time passed: readings that did not come, maintenance that is over.
  Changes look(const Moment& now);

  const std::string& cluster_name() const { return cluster_name_; }
  const std::map<std::string, CheckRow>& checks() const { return checks_; }
  const std::map<ComponentKey, ComponentRow>& components() const { return components_; }
  const std::map<std::string, NodeRow>& nodes() const { return nodes_; }
  const ClusterRow& cluster() const { return cluster_; }

 private:
  void join(const CheckSpec& spec);
  void leave(const CheckSpec& spec);
  Surroundings surroundings(const CheckSpec& spec) const;
  void advance(const std::string& name, const Reading* reading, const Moment& now,
               Changes& changes);
  void mark(const CheckSpec& spec);
  void settle(const Moment& now, Changes& changes);
  void settle_component(const ComponentKey& key, const Moment& now, Changes& changes);
  void settle_node(const std::string& name, const Moment& now, Changes& changes);
  void settle_cluster(const Moment& now, Changes& changes);

  const std::string cluster_name_;
  std::map<std::string, CheckRow> checks_;
  std::map<ComponentKey, ComponentRow> components_;
  std::map<std::string, NodeRow> nodes_;
  ClusterRow cluster_;
  std::map<std::string, std::set<std::string>> dependents_;  // by the check that they depend on

  // What is to be worked out anew before a call ends.
  std::set<ComponentKey> touched_components_;
  std::set<std::string> touched_nodes_;
  bool touched_cluster_ = false;
};

// The component that a check belongs to.
const std::string& component_of(const CheckSpec& spec);

// kInvalidArgument: a check depends on one that is not there, or on itself by way of others; the
// message names them. `depends_on`: of every check by its name.
Status check_dependencies(const std::map<std::string, std::vector<std::string>>& depends_on);

}  // namespace binnacle::watch::health
