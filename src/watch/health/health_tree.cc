#include "watch/health/health_tree.h"

#include <algorithm>

#include <fmt/format.h>

namespace binnacle::watch::health {
namespace {

bool is_down(Health health) { return health == Health::kCritical || health == Health::kFailed; }

ComponentKey key_of(const CheckSpec& spec) { return {spec.node, component_of(spec)}; }

bool is_maintained(const CheckRow& row, const Moment& now) {
  return row.maintenance.until_ms > now.wall_ms;
}

// Where a walk along the dependencies of `name` comes back to what it passed already.
Status walk(const std::string& name,
            const std::map<std::string, std::vector<std::string>>& depends_on,
            std::vector<std::string>& path, std::set<std::string>& done) {
  if (done.contains(name)) return {};
  if (std::find(path.begin(), path.end(), name) != path.end()) {
    return fail(Code::kInvalidArgument,
                fmt::format("check {}: depends on itself by way of {}: take one of depends_on away",
                            name, path.back()));
  }
  path.push_back(name);
  for (const std::string& on : depends_on.at(name)) {
    if (!depends_on.contains(on)) {
      return fail(Code::kInvalidArgument,
                  fmt::format("check {}: depends_on: there is no check {}; name one that is "
                              "configured",
                              name, on));
    }
    TRY(walk(on, depends_on, path, done));
  }
  path.pop_back();
  done.insert(name);
  return {};
}

}  // namespace

const std::string& component_of(const CheckSpec& spec) {
  return spec.component.empty() ? spec.name : spec.component;
}

Status check_dependencies(const std::map<std::string, std::vector<std::string>>& depends_on) {
  std::set<std::string> done;
  for (const auto& [name, on] : depends_on) {
    std::vector<std::string> path;
    TRY(walk(name, depends_on, path, done));
  }
  return {};
}

void HealthTree::mark(const CheckSpec& spec) { touched_components_.insert(key_of(spec)); }

void HealthTree::join(const CheckSpec& spec) {
  components_[key_of(spec)].checks.insert(spec.name);
  if (!spec.node.empty()) nodes_[spec.node].components.insert(component_of(spec));
  for (const std::string& on : spec.depends_on) dependents_[on].insert(spec.name);
  mark(spec);
}

void HealthTree::leave(const CheckSpec& spec) {
  mark(spec);
  components_[key_of(spec)].checks.erase(spec.name);
  for (const std::string& on : spec.depends_on) {
    const auto found = dependents_.find(on);
    if (found == dependents_.end()) continue;
    found->second.erase(spec.name);
    if (found->second.empty()) dependents_.erase(found);
  }
}

Surroundings HealthTree::surroundings(const CheckSpec& spec) const {
  Surroundings around;
  if (const auto node = nodes_.find(spec.node); node != nodes_.end() && node->second.fact) {
    around.unknown_because = unknown_because_of(*node->second.fact);
    around.hold_worse = node->second.fact->state == model::NodeState::kSuspect;
    if (!around.unknown_because.empty()) return around;
  }
  for (const std::string& on : spec.depends_on) {
    const auto found = checks_.find(on);
    if (found == checks_.end()) continue;
    const CheckState& state = found->second.state;
    if (state.blocked || is_down(state.health)) {
      around.unknown_because = fmt::format("depends on {}, which is {}: {}", on,
                                           health_name(state.health), state.reason);
      return around;
    }
    around.hold_worse = around.hold_worse || about_to_fail(state);
  }
  return around;
}

// A change goes on to what depends on the check. Dependencies make no circle, so it ends.
void HealthTree::advance(const std::string& name, const Reading* reading, const Moment& now,
                         Changes& changes) {
  const auto found = checks_.find(name);
  if (found == checks_.end()) return;
  CheckRow& row = found->second;
  const bool was_blocked = row.state.blocked;
  const auto transition = step(row.state, rules_of(row.spec), now, reading, surroundings(row.spec));
  if (transition) {
    HealthChange change;
    change.at_ms = now.wall_ms;
    change.name = name;
    change.component = component_of(row.spec);
    change.node = row.spec.node;
    change.from = transition->from;
    change.to = transition->to;
    change.deciding = name;
    change.reason = transition->reason;
    if (row.state.last) change.evidence = row.state.last->evidence;
    changes.push_back(std::move(change));
  }
  if (transition || reading != nullptr) mark(row.spec);
  if (!transition && was_blocked == row.state.blocked) return;
  const auto dependents = dependents_.find(name);
  if (dependents == dependents_.end()) return;
  for (const std::string& dependent : dependents->second) advance(dependent, nullptr, now, changes);
}

Changes HealthTree::put(CheckSpec spec, const Moment& now) {
  Changes changes;
  const std::string name = spec.name;
  const auto found = checks_.find(name);
  if (found == checks_.end()) {
    join(checks_[name].spec = std::move(spec));
  } else {
    leave(found->second.spec);
    if (found->second.spec.kind != spec.kind) found->second.state = {};
    join(found->second.spec = std::move(spec));
  }
  advance(name, nullptr, now, changes);
  settle(now, changes);
  return changes;
}

Changes HealthTree::remove(const std::string& name, const Moment& now) {
  Changes changes;
  const auto found = checks_.find(name);
  if (found == checks_.end()) return changes;
  leave(found->second.spec);
  checks_.erase(found);
  if (const auto dependents = dependents_.find(name); dependents != dependents_.end()) {
    for (const std::string& dependent : dependents->second)
      advance(dependent, nullptr, now, changes);
  }
  settle(now, changes);
  return changes;
}

Changes HealthTree::read(const std::string& name, const Reading& reading, const Moment& now) {
  Changes changes;
  advance(name, &reading, now, changes);
  settle(now, changes);
  return changes;
}

Changes HealthTree::maintain(const std::string& name, Maintenance maintenance, const Moment& now) {
  Changes changes;
  const auto found = checks_.find(name);
  if (found == checks_.end()) return changes;
  found->second.maintenance = std::move(maintenance);
  found->second.maintained = is_maintained(found->second, now);
  mark(found->second.spec);
  settle(now, changes);
  return changes;
}

Changes HealthTree::set_nodes(const std::vector<NodeUpdate>& nodes, const Moment& now) {
  Changes changes;
  std::set<std::string> seen;
  for (const NodeUpdate& update : nodes) {
    seen.insert(update.fact.name);
    NodeRow& row = nodes_[update.fact.name];
    const bool same = row.fact && row.fact->state == update.fact.state &&
                      row.fact->overdue == update.fact.overdue &&
                      row.criticality == update.criticality;
    row.fact = update.fact;
    row.criticality = update.criticality;
    if (!same) touched_nodes_.insert(update.fact.name);
  }
  for (auto& [name, row] : nodes_) {
    if (!row.fact || seen.contains(name)) continue;
    row.fact.reset();
    touched_nodes_.insert(name);
  }
  // What runs on a node that changed is judged by other surroundings now.
  const std::set<std::string> touched = touched_nodes_;
  for (const std::string& name : touched) {
    const std::set<std::string>& components = nodes_[name].components;
    for (const std::string& component : components) {
      for (const std::string& check : components_[{name, component}].checks)
        advance(check, nullptr, now, changes);
    }
  }
  settle(now, changes);
  return changes;
}

Changes HealthTree::look(const Moment& now) {
  Changes changes;
  for (auto& [name, row] : checks_) {
    if (const bool maintained = is_maintained(row, now); maintained != row.maintained) {
      row.maintained = maintained;
      mark(row.spec);
    }
    advance(name, nullptr, now, changes);
  }
  settle(now, changes);
  return changes;
}

void HealthTree::settle(const Moment& now, Changes& changes) {
  for (const ComponentKey& key : std::exchange(touched_components_, {}))
    settle_component(key, now, changes);
  for (const std::string& name : std::exchange(touched_nodes_, {})) settle_node(name, now, changes);
  if (std::exchange(touched_cluster_, false)) settle_cluster(now, changes);
}

namespace {

// Takes the new sum; true when the health is another.
bool take(Summary& held, Summary sum, int64_t& since_ms, const Moment& now, HealthChange& change) {
  change.from = held.health;
  held = std::move(sum);
  if (held.health == change.from) return false;
  since_ms = now.wall_ms;
  change.at_ms = now.wall_ms;
  change.to = held.health;
  change.score = held.score();
  change.deciding = held.deciding;
  change.reason = held.reason;
  return true;
}

}  // namespace

void HealthTree::settle_component(const ComponentKey& key, const Moment& now, Changes& changes) {
  const auto& [node, name] = key;
  const auto above = [&] {
    if (node.empty()) {
      touched_cluster_ = true;
    } else {
      touched_nodes_.insert(node);
    }
  };
  const auto found = components_.find(key);
  if (found == components_.end()) return;
  ComponentRow& row = found->second;
  if (row.checks.empty()) {
    components_.erase(found);
    if (!node.empty()) nodes_[node].components.erase(name);
    return above();
  }
  RollUp sum;
  for (const std::string& check : row.checks) {
    const CheckRow& part = checks_.at(check);
    sum.add_check(check, part.state.health, part.state.reason, part.spec.criticality,
                  !part.maintained);
  }
  Summary whole = sum.finish();
  if (whole == row.sum) return;
  above();
  HealthChange change;
  change.scope = Scope::kComponent;
  change.name = change.component = name;
  change.node = node;
  if (take(row.sum, std::move(whole), row.since_ms, now, change))
    changes.push_back(std::move(change));
}

void HealthTree::settle_node(const std::string& name, const Moment& now, Changes& changes) {
  touched_cluster_ = true;  // how much it counts may be another
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return;
  NodeRow& row = found->second;
  if (!row.fact && row.components.empty()) {
    nodes_.erase(found);
    return;
  }
  RollUp sum;
  const auto verdict = row.fact ? verdict_of(*row.fact) : std::nullopt;
  const bool left = row.fact && !verdict;
  // What its detector says goes first: of two equally bad reasons it is the plainer one.
  if (verdict)
    sum.add_check("node/" + name, verdict->health, verdict->reason, Criticality::kCritical);
  if (!left) {
    for (const std::string& component : row.components)
      sum.add(components_.at({name, component}).sum, Criticality::kCritical);
  }
  Summary whole = sum.finish();
  if (left) whole.reason = "left";
  HealthChange change;
  change.scope = Scope::kNode;
  change.name = change.node = name;
  if (take(row.sum, std::move(whole), row.since_ms, now, change))
    changes.push_back(std::move(change));
}

void HealthTree::settle_cluster(const Moment& now, Changes& changes) {
  RollUp sum;
  for (const auto& [key, component] : components_) {
    if (!key.first.empty()) break;  // the cluster's own come first
    sum.add(component.sum, Criticality::kCritical);
  }
  for (const auto& [name, node] : nodes_) sum.add(node.sum, node.criticality);
  HealthChange change;
  change.scope = Scope::kCluster;
  change.name = cluster_name_;
  if (take(cluster_.sum, sum.finish(), cluster_.since_ms, now, change))
    changes.push_back(std::move(change));
}

}  // namespace binnacle::watch::health
