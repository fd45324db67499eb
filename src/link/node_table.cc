#include "link/node_table.h"

#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/clock.h"

namespace binnacle::link {
namespace {

using model::NodeState;

// "10.0.0.7" of a peer and ":9" of its hello make "10.0.0.7:9".
std::string full_address(const std::string& told, const std::string& peer_address) {
  if (!told.starts_with(':')) return told;
  const bool address6 = peer_address.find(':') != std::string::npos;
  return (address6 ? "[" + peer_address + "]" : peer_address) + told;
}

Admission refuse(Refusal refusal, std::string reason) {
  Admission admission;
  admission.refusal = refusal;
  admission.reason = std::move(reason);
  return admission;
}

}  // namespace

std::optional<Admission> NodeTable::conflict(const Hello& hello, const std::string& peer_address,
                                             int64_t lively_ms) const {
  const auto name = id_of_name_.find(hello.name);
  if (name != id_of_name_.end() && name->second != hello.node_id) {
    const NodeRecord& holder = by_id_.at(name->second).record;
    if (holder.session != 0) {
      return refuse(Refusal::kNameTaken,
                    fmt::format("the name {} is taken by node {} at {}, connected since {}; stop "
                                "that agent or give this one at {} another name (--name)",
                                hello.name, holder.node.id.value, holder.node.address,
                                format_rfc3339(holder.node.since_ms), peer_address));
    }
  }
  const auto same = by_id_.find(hello.node_id);
  if (same == by_id_.end() || same->second.record.session == 0 ||
      same->second.record.boot_id == hello.boot_id ||
      clock_.monotonic_ms() - same->second.heard_ms >= lively_ms) {
    return std::nullopt;
  }
  return refuse(
      Refusal::kIdInUse,
      fmt::format("an agent with this node id beats from {} as {}; this agent and that run on "
                  "one data folder or a copy of it: stop one, or remove the file node_id from the "
                  "copy (this one is at {})",
                  same->second.record.node.address, same->second.record.node.name, peer_address));
}

Admission NodeTable::admit(const Hello& hello, uint64_t session, const std::string& peer_address,
                           int64_t lively_ms) {
  const MutexLock lock(mu_);
  if (auto found = conflict(hello, peer_address, lively_ms)) return std::move(*found);
  if (const auto name = id_of_name_.find(hello.name);
      name != id_of_name_.end() && name->second != hello.node_id) {
    erase(std::string(name->second));
  }
  if (!by_id_.contains(hello.node_id) && by_id_.size() >= max_nodes_ && !make_room()) {
    return refuse(
        Refusal::kTooManyNodes,
        fmt::format("{} nodes are connected, as many as link.max_nodes allows", max_nodes_));
  }
  Entry& entry = this->entry(hello.node_id);
  NodeRecord& record = entry.record;
  Admission admission;
  admission.replaces = record.session;
  admission.place = entry.place;
  if (record.node.name != hello.name) id_of_name_.erase(record.node.name);
  id_of_name_[hello.name] = hello.node_id;
  record.node.id.value = hello.node_id;
  record.node.name = hello.name;
  record.node.role = hello.role;
  record.node.cluster = hello.cluster;
  record.node.address = peer_address;
  record.boot_id = hello.boot_id;
  record.software = hello.software;
  record.probe_address = full_address(hello.probe_address, peer_address);
  record.echo_address = full_address(hello.echo_address, peer_address);
  record.capabilities = hello.capabilities;
  record.oldest_sample_ms = hello.oldest_sample_ms;
  record.session = session;
  entry.heard_ms = clock_.monotonic_ms();
  set_state(entry, NodeState::kUp);
  ++peers_version_;
  admission.node = record.node;
  return admission;
}

NodeTable::Entry& NodeTable::entry(const std::string& node_id) {
  const auto [at, made] = by_id_.try_emplace(node_id);
  if (!made) return at->second;
  if (free_places_.empty()) {
    free_places_.push_back(places_.size());
    places_.emplace_back();
  }
  at->second.place = free_places_.back();
  free_places_.pop_back();
  places_[at->second.place] = &at->second;
  return at->second;
}

void NodeTable::beat(size_t place, uint64_t session, std::optional<ClockReading> clocks) {
  const MutexLock lock(mu_);
  CHECK(place < places_.size());
  Entry* const entry = places_[place];
  if (entry == nullptr || entry->record.session != session) return;
  NodeRecord& record = entry->record;
  entry->heard_ms = clock_.monotonic_ms();
  record.last_beat_ms = clock_.wall_ms();
  if (!clocks) return;
  record.clocks = clocks;
  if (!record.best_clocks || clocks->round_trip_ns < record.best_clocks->round_trip_ns) {
    record.best_clocks = clocks;
  }
}

std::optional<model::Node> NodeTable::disconnect(const std::string& node_id, uint64_t session,
                                                 bool goodbye) {
  const MutexLock lock(mu_);
  const auto it = by_id_.find(node_id);
  if (it == by_id_.end() || it->second.record.session != session) return std::nullopt;
  it->second.record.session = 0;
  it->second.record.clocks.reset();
  set_state(it->second, goodbye ? NodeState::kLeft : NodeState::kDown);
  ++peers_version_;
  return it->second.record.node;
}

std::optional<model::Node> NodeTable::set_draining(const std::string& node_id) {
  const MutexLock lock(mu_);
  const auto it = by_id_.find(node_id);
  if (it == by_id_.end() || it->second.record.session == 0) return std::nullopt;
  set_state(it->second, NodeState::kDraining);
  return it->second.record.node;
}

std::vector<model::Node> NodeTable::nodes() const {
  std::vector<model::Node> nodes;
  for (NodeRecord& record : records()) nodes.push_back(std::move(record.node));
  return nodes;
}

std::optional<model::Node> NodeTable::node(const model::NodeId& id) const {
  auto found = record(id);
  if (!found) return std::nullopt;
  return std::move(found->node);
}

std::optional<NodeRecord> NodeTable::record(const model::NodeId& id) const {
  const MutexLock lock(mu_);
  const auto it = by_id_.find(id.value);
  if (it == by_id_.end()) return std::nullopt;
  return it->second.record;
}

std::vector<NodeRecord> NodeTable::records() const {
  const MutexLock lock(mu_);
  std::vector<NodeRecord> records;
  records.reserve(by_id_.size());
  for (const auto& [name, id] : id_of_name_) records.push_back(by_id_.at(id).record);
  return records;
}

uint64_t NodeTable::session_of(const std::string& node_id) const {
  const MutexLock lock(mu_);
  const auto it = by_id_.find(node_id);
  return it == by_id_.end() ? 0 : it->second.record.session;
}

bool NodeTable::has_echo(const std::string& node_id) const {
  const MutexLock lock(mu_);
  const auto it = by_id_.find(node_id);
  return it != by_id_.end() && !it->second.record.echo_address.empty();
}

std::vector<NodeRecord> NodeTable::take_readings() {
  const MutexLock lock(mu_);
  std::vector<NodeRecord> records;
  records.reserve(by_id_.size());
  for (const auto& [name, id] : id_of_name_) {
    NodeRecord& record = by_id_.at(id).record;
    records.push_back(record);
    record.best_clocks.reset();
  }
  return records;
}

Peers NodeTable::peers() const {
  const MutexLock lock(mu_);
  constexpr size_t kOverhead = 32;  // of one peer's tags and lengths, amply
  Peers peers;
  size_t bytes = kOverhead;
  for (const auto& [name, id] : id_of_name_) {
    const NodeRecord& record = by_id_.at(id).record;
    if (record.session == 0 || record.probe_address.empty()) continue;
    bytes += id.size() + name.size() + record.probe_address.size() + kOverhead;
    if (peers.peers.size() == kMaxPeers || bytes > kMaxFrameBytes) break;
    peers.peers.push_back({id, name, record.probe_address});
  }
  return peers;
}

uint64_t NodeTable::peers_version() const {
  const MutexLock lock(mu_);
  return peers_version_;
}

bool NodeTable::make_room() {
  const Entry* longest_gone = nullptr;
  for (const auto& [id, entry] : by_id_) {
    if (entry.record.session != 0) continue;
    if (longest_gone == nullptr ||
        entry.record.node.since_ms < longest_gone->record.node.since_ms) {
      longest_gone = &entry;
    }
  }
  if (longest_gone == nullptr) return false;
  erase(std::string(longest_gone->record.node.id.value));
  return true;
}

void NodeTable::set_state(Entry& entry, NodeState state) {
  if (entry.record.node.state == state) return;
  entry.record.node.state = state;
  entry.record.node.since_ms = clock_.wall_ms();
}

void NodeTable::erase(const std::string& node_id) {
  const auto it = by_id_.find(node_id);
  id_of_name_.erase(it->second.record.node.name);
  places_[it->second.place] = nullptr;
  free_places_.push_back(it->second.place);
  by_id_.erase(it);
}

}  // namespace binnacle::link
