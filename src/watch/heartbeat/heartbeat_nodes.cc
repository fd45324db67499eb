// The heartbeat's book of nodes: who is known, who is missing, who deviates.
#include <algorithm>
#include <utility>

#include "watch/heartbeat/heartbeat.h"

namespace binnacle::watch::heartbeat {
namespace {

using model::NodeState;

constexpr int64_t kDriftEveryMs = 5'000;
constexpr int64_t kSweepEveryMs = 10'000;
constexpr int64_t kQuestionAgeMs = 60'000;  // its node went away before it answered

bool gone(NodeState state) { return state == NodeState::kDown || state == NodeState::kLeft; }

}  // namespace

NodeRef Heartbeat::ref_of(const model::Node& node) {
  const auto named = by_name_.find(node.name);
  // Another node had the name; it is gone, or the link would have refused this one.
  if (named != by_name_.end() && nodes_[named->second]->node.id != node.id) forget(named->second);
  const auto known = by_id_.find(node.id.value);
  const NodeRef ref = known == by_id_.end() ? free_ref() : known->second;
  if (nodes_[ref] == nullptr) nodes_[ref] = std::make_unique<Known>();
  Known& kept = *nodes_[ref];
  if (!kept.node.name.empty() && kept.node.name != node.name) by_name_.erase(kept.node.name);
  // State and time are the detector's word.
  const NodeState state = kept.node.state;
  const int64_t since_ms = kept.node.since_ms;
  kept.node = node;
  kept.node.state = state;
  kept.node.since_ms = since_ms;
  kept.facts.node = node.name;
  kept.facts.role = node.role;
  by_id_[node.id.value] = ref;
  by_name_[node.name] = ref;
  return ref;
}

// Only the first beat of a connection is looked up.
std::optional<NodeRef> Heartbeat::ref_of(const model::NodeId& node, const link::BeatTimes& times) {
  const bool told = times.session != 0;
  if (told && times.place < seats_.size() && seats_[times.place].session == times.session) {
    return seats_[times.place].ref;
  }
  const auto it = by_id_.find(node.value);
  if (it == by_id_.end()) return std::nullopt;
  if (told) {
    if (times.place >= seats_.size()) seats_.resize(times.place + 1);
    seats_[times.place] = {times.session, it->second};
  }
  return it->second;
}

NodeRef Heartbeat::free_ref() {
  if (by_id_.size() >= options_.max_nodes) {
    const Known* longest = nullptr;
    NodeRef ref = 0;
    for (NodeRef one = 0; one < nodes_.size(); ++one) {
      const Known* known = nodes_[one].get();
      if (known == nullptr || !gone(known->node.state)) continue;
      if (longest != nullptr && longest->node.since_ms <= known->node.since_ms) continue;
      longest = known;
      ref = one;
    }
    if (longest != nullptr) forget(ref);
  }
  if (!free_refs_.empty()) {
    const NodeRef ref = free_refs_.back();
    free_refs_.pop_back();
    return ref;
  }
  nodes_.emplace_back();
  return static_cast<NodeRef>(nodes_.size() - 1);
}

void Heartbeat::forget(NodeRef ref) {
  step(event::Forget{ref});
  const Known& known = *nodes_[ref];
  if (known.node.state != NodeState::kUnknown) metrics_.left_out(known.node.state);
  by_id_.erase(known.node.id.value);
  by_name_.erase(known.node.name);
  for (Seat& seat : seats_) {
    if (seat.ref == ref) seat = {};
  }
  nodes_[ref].reset();
  free_refs_.push_back(ref);
}

void Heartbeat::look_at_missing() {
  const std::vector<const ExpectedNode*> missing = expected_.missing();
  metrics_.missing.set(static_cast<double>(missing.size()));
  if (missing_told_ || !expected_.overdue(deps_.clock.wall_ms())) return;
  missing_told_ = true;
  for (const ExpectedNode* one : missing) {
    Known known;
    known.node = status(*one).node;
    publish("node.missing", known, nullptr, "is expected and has never been heard");
  }
}

void Heartbeat::look_at_drift() {
  const int64_t now_ms = deps_.clock.monotonic_ms();
  if (!drift_due_ || now_ms - drift_looked_ms_ < kDriftEveryMs) return;
  drift_due_ = false;
  drift_looked_ms_ = now_ms;
  std::vector<NodeFacts> facts;
  for (const auto& known : nodes_) {
    if (known != nullptr && !gone(known->node.state)) facts.push_back(known->facts);
  }
  std::map<std::string, std::vector<Drift>> found;
  for (Drift& drift : find_drift(facts)) found[drift.node].push_back(std::move(drift));
  for (const auto& known : nodes_) {
    if (known == nullptr) continue;
    std::vector<Drift> now = std::move(found[known->node.name]);
    const bool news = !now.empty() && now != known->drift;
    known->drift = std::move(now);
    if (!news) continue;
    std::string text;
    for (const Drift& drift : known->drift) {
      text += (text.empty() ? "" : "; ") + drift_text(drift);
    }
    publish("node.drift", *known, nullptr, std::move(text));
  }
  metrics_.drifting.set(static_cast<double>(std::ranges::count_if(
      nodes_, [](const auto& known) { return known != nullptr && !known->drift.empty(); })));
}

void Heartbeat::drop_old_questions() {
  const int64_t now_ms = deps_.clock.monotonic_ms();
  if (now_ms - questions_swept_ms_ < kSweepEveryMs) return;
  questions_swept_ms_ = now_ms;
  const auto old = [now_ms](const auto& one) {
    return now_ms - one.second.asked_ms >= kQuestionAgeMs;
  };
  std::erase_if(probes_, old);
  std::erase_if(echoes_, old);
}

NodeStatus Heartbeat::status(NodeRef ref, int64_t now_ms) const {
  const Known& known = *nodes_[ref];
  NodeStatus status;
  status.node = known.node;
  status.reason = known.reason;
  status.phi = detector_.phi(ref, now_ms);
  status.drift = known.drift;
  status.agent_lag_seconds = static_cast<double>(known.loop_lag_us) / 1e6;
  if (const ExpectedNode* expected = expected_.find(known.node.name)) {
    status.expected = true;
    status.layers = expected->layers;
  }
  return status;
}

NodeStatus Heartbeat::status(const ExpectedNode& missing) const {
  NodeStatus status;
  status.node.name = missing.name;
  status.node.role = missing.role;
  status.node.address = missing.address;
  status.node.since_ms = expected_.since_ms();
  status.expected = true;
  status.layers = missing.layers;
  status.overdue = expected_.overdue(deps_.clock.wall_ms());
  status.reason = status.overdue ? "is expected and has not joined within cluster.join_grace"
                                 : "is expected and has not joined yet";
  return status;
}

std::vector<NodeStatus> Heartbeat::statuses() const {
  const int64_t now_ms = deps_.clock.monotonic_ms();
  const MutexLock lock(mu_);
  std::vector<NodeStatus> all;
  all.reserve(by_name_.size());
  for (const auto& [name, ref] : by_name_) all.push_back(status(ref, now_ms));
  for (const ExpectedNode* missing : expected_.missing()) all.push_back(status(*missing));
  std::ranges::sort(all, {}, [](const NodeStatus& one) { return one.node.name; });
  return all;
}

std::vector<model::Node> Heartbeat::nodes() const {
  std::vector<model::Node> nodes;
  for (NodeStatus& status : statuses()) nodes.push_back(std::move(status.node));
  return nodes;
}

std::optional<model::Node> Heartbeat::node(const model::NodeId& id) const {
  const MutexLock lock(mu_);
  const auto it = by_id_.find(id.value);
  if (it == by_id_.end()) return std::nullopt;
  return nodes_[it->second]->node;
}

}  // namespace binnacle::watch::heartbeat
