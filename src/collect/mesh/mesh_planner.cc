#include "collect/mesh/mesh_planner.h"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace binnacle::collect::mesh {
namespace {

constexpr double kNsPerSecond = 1e9;

// A probe's id says its round, target and number, so that nothing has to be looked up.
constexpr unsigned kProbeBits = 8;
constexpr unsigned kSlotBits = 16;

uint64_t probe_id(uint64_t round, size_t slot, size_t probe) {
  return (round << (kSlotBits + kProbeBits)) | (slot << kProbeBits) | probe;
}

}  // namespace

MeshRow summarize(std::string peer, const std::vector<std::optional<int64_t>>& round_trips_ns) {
  MeshRow row;
  row.peer = std::move(peer);
  std::vector<double> seconds;
  for (const auto& ns : round_trips_ns) {
    if (ns) seconds.push_back(static_cast<double>(*ns) / kNsPerSecond);
  }
  if (seconds.empty()) return row;
  row.loss_ratio =
      1 - static_cast<double>(seconds.size()) / static_cast<double>(round_trips_ns.size());
  if (seconds.size() > 1) {
    double steps = 0;
    for (size_t i = 1; i < seconds.size(); ++i) steps += std::abs(seconds[i] - seconds[i - 1]);
    row.jitter_seconds = steps / static_cast<double>(seconds.size() - 1);
  }
  std::sort(seconds.begin(), seconds.end());
  const size_t middle = seconds.size() / 2;
  row.round_trip_seconds =
      seconds.size() % 2 == 1 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2;
  return row;
}

std::vector<link::Peer> choose_peers(const std::vector<link::Peer>& peers, std::string_view self_id,
                                     int64_t epoch, size_t count) {
  std::vector<std::pair<uint64_t, const link::Peer*>> scored;
  scored.reserve(peers.size());
  std::string pair;
  for (const link::Peer& peer : peers) {
    if (peer.node_id == self_id) continue;
    pair.assign(self_id).append(peer.node_id);
    scored.emplace_back(
        XXH3_64bits_withSeed(pair.data(), pair.size(), static_cast<XXH64_hash_t>(epoch)), &peer);
  }
  count = std::min(count, scored.size());
  std::partial_sort(scored.begin(), scored.begin() + static_cast<ptrdiff_t>(count), scored.end(),
                    [](const auto& a, const auto& b) {
                      return std::tie(a.first, a.second->node_id) <
                             std::tie(b.first, b.second->node_id);
                    });
  std::vector<link::Peer> chosen;
  for (size_t i = 0; i < count; ++i) chosen.push_back(*scored[i].second);
  return chosen;
}

MeshPlanner::MeshPlanner(MeshOptions options, std::string self_id, MeshTarget server)
    : options_(options), self_id_(std::move(self_id)), server_(std::move(server)) {}

void MeshPlanner::begin_round(int64_t now_ms, int64_t wall_ms) {
  ++round_;
  slots_.clear();
  std::vector<MeshTarget> targets = {server_};
  for (const link::Peer& peer :
       choose_peers(peers_, self_id_, wall_ms / options_.rotate_ms, options_.peers)) {
    targets.push_back({peer.name, peer.address});
  }
  // Spread, so that a node does not connect to all at once.
  const int64_t between_ms = spacing_ms() / static_cast<int64_t>(targets.size());
  for (MeshTarget& target : targets) {
    const int64_t first_ms = now_ms + between_ms * static_cast<int64_t>(slots_.size());
    slots_.push_back({std::move(target), first_ms, {}});
  }
  round_end_ms_ = now_ms + options_.interval_ms;
}

MeshPlanner::Step MeshPlanner::tick(int64_t now_ms, int64_t wall_ms) {
  Step step;
  if (now_ms >= round_end_ms_) {
    for (Slot& slot : slots_) {
      if (!slot.round_trips_ns.empty())
        step.rows.push_back(summarize(slot.target.name, slot.round_trips_ns));
    }
    begin_round(now_ms, wall_ms);
  }
  next_due_ms_ = round_end_ms_;
  for (size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    size_t sent = slot.round_trips_ns.size();
    int64_t due_ms = slot.first_ms + spacing_ms() * static_cast<int64_t>(sent);
    if (sent < options_.probes && now_ms >= due_ms) {
      step.probes.push_back({probe_id(round_, i, sent), slot.target.address, spacing_ms()});
      slot.round_trips_ns.emplace_back();
      ++sent;
      // One that was held up (a sleeping machine) is not followed by the rest at once.
      slot.first_ms += now_ms - due_ms;
      due_ms = now_ms + spacing_ms();
    }
    if (sent < options_.probes) next_due_ms_ = std::min(next_due_ms_, due_ms);
  }
  return step;
}

void MeshPlanner::outcome(uint64_t probe, std::optional<int64_t> round_trip_ns) {
  const uint64_t round = probe >> (kSlotBits + kProbeBits);
  const size_t slot = (probe >> kProbeBits) & ((1U << kSlotBits) - 1);
  const size_t number = probe & ((1U << kProbeBits) - 1);
  if (round != round_ || slot >= slots_.size()) return;
  auto& round_trips = slots_[slot].round_trips_ns;
  if (number < round_trips.size()) round_trips[number] = round_trip_ns;
}

}  // namespace binnacle::collect::mesh
