#include "watch/heartbeat/testing/cluster_simulator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"

namespace binnacle::watch::heartbeat {
namespace {

using model::NodeState;

enum Kind : uint8_t {
  // At a node's process.
  kBeatTimer,
  kProbeAsked,   // a: id, b: target, c: timeout
  kProbeResult,  // a: id, b: outcome
  kEchoAsked,    // a: id, b: target, c: interval << 32 | duration
  kEchoStop,     // a: id
  kEchoTimer,    // a: id
  kEchoComes,    // a: id; of the one who sent it
  kEchoAnswer,   // a: id
  kEchoEnd,      // a: id
  // At a kernel or in the network; a: epoch.
  kResume,
  kRetransmit,  // flag: up
  kConnect,
  kHeal,
  kRestart,
  kMissed,
  // At the server's process.
  kBeat,        // a: number, b: epoch
  kClosed,      // a: epoch
  kProbeReply,  // a: id, b: outcome
  kEchoReport,  // a: id, b: sent << 32 | answered, c: done
  kConnected,
  kTick,
  // Faults.
  kStall,
  kCrash,
  kCut,
  kShortCut,
  kHalfCut,
  kServerPause,
  kServerResume,
  kServerCut,
  kServerHeal,
  kClockJump,
  kSilentLook,
};

constexpr int64_t kFirstRtoMs = 200;
constexpr int64_t kLongestRtoMs = 10'000;
constexpr int64_t kSynRetryMs = 1'000;
constexpr int64_t kSilentLimitMs = 10'000;
constexpr int64_t kDeadForMs = 40'000;
constexpr int64_t kLatestFindMs =
    20'000;  // while the server was cut off, too, and then doubted itself
constexpr size_t kMaxNotes = 10;

bool for_server(uint8_t kind) { return kind >= kBeat && kind <= kConnected; }

bool for_process(uint8_t kind) { return kind <= kEchoEnd; }

bool allowed(NodeState from, NodeState to) {
  switch (from) {
    case NodeState::kUnknown:
    case NodeState::kLeft:
      return to == NodeState::kUp;
    case NodeState::kUp:
      return to == NodeState::kSuspect || to == NodeState::kLeft || to == NodeState::kDraining;
    case NodeState::kSuspect:
      return to == NodeState::kUp || to == NodeState::kDown || to == NodeState::kLeft;
    case NodeState::kDown:
      return to == NodeState::kUp;
    case NodeState::kDraining:
      return false;  // nobody drains here
  }
  return false;
}

}  // namespace

ClusterSimulator::ClusterSimulator(const SimOptions& options)
    : options_(options), random_(options.seed), detector_(options.detector), nodes_(options.nodes) {
  const int64_t interval = options_.detector.beat_interval_ms;
  for (NodeRef ref = 0; ref < nodes_.size(); ++ref) {
    nodes_[ref].nat = ref < options_.behind_nat;
    connect(ref);
    later(between(0, interval), {.kind = kBeatTimer, .node = ref});
    later(wait_for(options_.stalls_per_hour), {.kind = kStall, .node = ref});
  }
  later(0, {.kind = kTick});
  later(1'000, {.kind = kSilentLook});
  const std::pair<Kind, double> faults[] = {{kCrash, options_.crashes_per_hour},
                                            {kCut, options_.cuts_per_hour},
                                            {kShortCut, options_.short_cuts_per_hour},
                                            {kHalfCut, options_.half_cuts_per_hour},
                                            {kServerPause, options_.server_pauses_per_hour},
                                            {kServerCut, options_.server_cuts_per_hour},
                                            {kClockJump, options_.clock_jumps_per_hour}};
  for (const auto& [kind, rate] : faults) later(5'000 + wait_for(rate), {.kind = kind});
}

const SimReport& ClusterSimulator::run(int64_t ms) {
  timeline_.run(now() + ms, [this](const SimEvent& event) { handle(event); });
  report_.counts = detector_.counts();
  return report_;
}

int64_t ClusterSimulator::between(int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random_.below(static_cast<uint64_t>(high - low)));
}

int64_t ClusterSimulator::wait_for(double per_hour) {
  constexpr double kHourMs = 3'600'000;
  constexpr int64_t kNotInThisRun = int64_t{1} << 50;
  if (per_hour <= 0) return kNotInThisRun;
  return 1 + static_cast<int64_t>(-std::log(1 - random_.unit()) * kHourMs / per_hour);
}

int64_t ClusterSimulator::travel_ms() {
  const uint64_t draw = random_.next();
  const int64_t usual = options_.delay_ms + static_cast<int64_t>(draw & 1);
  const bool slow = static_cast<double>(draw >> 11) * 0x1p-53 < options_.slow_share;
  return slow ? usual + between(0, options_.slow_ms) : usual;
}

bool ClusterSimulator::reaches(NodeRef from, NodeRef to) {
  const bool server = from == kServer || to == kServer;
  if (server && server_cut_) return false;
  for (const NodeRef end : {from, to}) {
    if (end != kServer && (nodes_[end].cut || (server && nodes_[end].half_cut))) return false;
  }
  return !chance(options_.loss);
}

void ClusterSimulator::handle(const SimEvent& event) {
  if (for_process(event.kind) && event.node != kServer) {
    Node& node = nodes_[event.node];
    if (!node.alive) {
      if (event.kind == kBeatTimer) later(250, event);
      return;
    }
    if (now() < node.paused_until_ms) return node.held.push_back(event);
    return at_node(node, event);
  }
  if (for_server(event.kind) || for_process(event.kind)) {
    if (now() < server_paused_until_ms_) return server_held_.push_back(event);
    return for_process(event.kind) ? echo(event) : at_server(event);
  }
  fault(event);
}

// Of a process that runs.
void ClusterSimulator::at_node(Node&, const SimEvent& event) {
  switch (event.kind) {
    case kBeatTimer:
      return beat(event.node);
    case kProbeAsked:
      return probe(event);
    case kProbeResult:
      return tell(event.node,
                  {.kind = kProbeReply, .node = event.node, .a = event.a, .b = event.b});
    default:
      return echo(event);
  }
}

void ClusterSimulator::beat(NodeRef ref) {
  Node& node = nodes_[ref];
  later(options_.detector.beat_interval_ms, {.kind = kBeatTimer, .node = ref});
  if (node.connected)
    send(ref, true, {.kind = kBeat, .node = ref, .a = ++node.number, .b = node.epoch});
}

void ClusterSimulator::tell(NodeRef via, const SimEvent& report) {
  if (via == kServer) return later(0, report);
  if (nodes_[via].connected) send(via, true, report);
}

void ClusterSimulator::send(NodeRef ref, bool up, const SimEvent& frame) {
  Channel& channel = up ? nodes_[ref].up : nodes_[ref].down;
  if (!channel.blocked && reaches(up ? ref : kServer, up ? kServer : ref)) {
    channel.last_arrival_ms = std::max(channel.last_arrival_ms, now() + travel_ms());
    return timeline_.at(channel.last_arrival_ms, frame);
  }
  channel.waiting.push_back(frame);
  if (channel.blocked) return;
  channel.blocked = true;
  channel.rto_ms = kFirstRtoMs;
  later(channel.rto_ms, {.kind = kRetransmit, .flag = up, .node = ref, .a = nodes_[ref].epoch});
}

void ClusterSimulator::retransmit(NodeRef ref, bool up) {
  Channel& channel = up ? nodes_[ref].up : nodes_[ref].down;
  bool moved = false;
  while (!channel.waiting.empty()) {
    if (!reaches(up ? ref : kServer, up ? kServer : ref)) {
      channel.rto_ms = moved ? kFirstRtoMs : std::min(channel.rto_ms * 2, kLongestRtoMs);
      return later(channel.rto_ms,
                   {.kind = kRetransmit, .flag = up, .node = ref, .a = nodes_[ref].epoch});
    }
    moved = true;
    channel.last_arrival_ms = std::max(channel.last_arrival_ms, now() + travel_ms());
    timeline_.at(channel.last_arrival_ms, channel.waiting.front());
    channel.waiting.pop_front();
  }
  channel.blocked = false;
}

// A connection to the node's port: the kernel answers for a paused process and refuses for a dead
// one. A lost packet takes longer to be sent again than the probe waits.
void ClusterSimulator::probe(const SimEvent& request) {
  const auto target = static_cast<NodeRef>(request.b);
  SimEvent result{.kind = kProbeResult, .node = request.node, .a = request.a};
  const bool through = reaches(request.node, target) && reaches(target, request.node);
  const ProbeOutcome outcome = !through               ? ProbeOutcome::kNoAnswer
                               : nodes_[target].alive ? ProbeOutcome::kReached
                                                      : ProbeOutcome::kRefused;
  result.b = static_cast<uint64_t>(outcome);
  if (request.node == kServer) result.kind = kProbeReply;
  later(through ? 2 * travel_ms() : static_cast<int64_t>(request.c), result);
}

void ClusterSimulator::echo(const SimEvent& event) {
  const uint64_t id = event.a;
  if (event.kind == kEchoAsked) {
    echoes_[id] = {.interval_ms = static_cast<int64_t>(event.c >> 32),
                   .via = event.node,
                   .target = static_cast<NodeRef>(event.b),
                   .end_ms = now() + static_cast<int64_t>(static_cast<uint32_t>(event.c))};
  }
  const auto found = echoes_.find(id);
  if (found == echoes_.end()) return;
  EchoTask& task = found->second;
  switch (event.kind) {
    case kEchoAsked:
    case kEchoTimer:
      if (now() >= task.end_ms) {
        return later(task.interval_ms, {.kind = kEchoEnd, .node = task.via, .a = id});
      }
      ++task.sent;
      later(task.interval_ms, {.kind = kEchoTimer, .node = task.via, .a = id});
      if (!nodes_[task.target].nat && reaches(task.via, task.target)) {
        later(travel_ms(), {.kind = kEchoComes, .node = task.target, .a = id});
      }
      return;
    case kEchoComes:
      if (reaches(event.node, task.via)) {
        later(travel_ms(), {.kind = kEchoAnswer, .node = task.via, .a = id});
      }
      return;
    case kEchoAnswer:
      if (++task.answered == 1) report_echo(id, task, false);
      return;
    case kEchoEnd:
      report_echo(id, task, true);
      [[fallthrough]];
    default:  // kEchoStop
      echoes_.erase(found);
  }
}

void ClusterSimulator::report_echo(uint64_t id, const EchoTask& task, bool done) {
  tell(task.via, {.kind = kEchoReport,
                  .flag = done,
                  .node = task.via,
                  .a = id,
                  .b = task.sent,
                  .c = task.answered});
}

void ClusterSimulator::at_server(const SimEvent& event) {
  Node* node = event.node < nodes_.size() ? &nodes_[event.node] : nullptr;
  switch (event.kind) {
    case kBeat:
      if (event.b != node->epoch || !node->connected) return;
      node->heard_ms = now();
      ++report_.beats;
      return step(event::Beat{event.node, event.a});
    case kClosed:
      if (event.a != node->epoch || !node->connected) return;
      node->connected = false;
      return step(event::Ended{event.node, event::End::kClosed});
    case kProbeReply:
      return step(event::ProbeReply{event.a, static_cast<ProbeOutcome>(event.b)});
    case kEchoReport:
      return step(event::EchoReport{event.a, event.b, event.c, event.flag != 0});
    case kConnected:
      node->heard_ms = now();
      return step(
          event::Connected{event.node, !node->nat && event.node >= options_.unprobed, !node->nat});
    default:
      CHECK(false);
  }
}

void ClusterSimulator::fault(const SimEvent& event) {
  switch (event.kind) {
    case kTick: {
      later(Detector::kTickMs, event);
      if (now() < server_paused_until_ms_) return;
      return step(event::Tick{now() + wall_offset_ms_, 0});
    }
    case kRetransmit:
      if (event.a == nodes_[event.node].epoch) retransmit(event.node, event.flag != 0);
      return;
    case kConnect:
      return connect(event.node);
    case kResume:
      return resume(event.node);
    case kHeal:
      nodes_[event.node].cut = nodes_[event.node].half_cut = false;
      nodes_[event.node].fit_since_ms = now();
      nodes_[event.node].died_ms = 0;
      return;
    case kRestart:
      nodes_[event.node].alive = true;
      nodes_[event.node].died_ms = 0;
      nodes_[event.node].fit_since_ms = now();
      return connect(event.node);
    case kMissed:
      if (nodes_[event.node].died_ms == static_cast<int64_t>(event.a) &&
          detector_.state(event.node) != NodeState::kDown) {
        ++report_.missed;
        note(fmt::format("{} ms: node {} died at {} ms and is {}", now(), event.node, event.a,
                         model::node_state_name(detector_.state(event.node))));
      }
      return;
    case kStall:
      later(options_.stall_ms + wait_for(options_.stalls_per_hour), event);
      if (calm(nodes_[event.node])) pause(event.node);
      return;
    case kCrash:
    case kCut: {
      later(wait_for(event.kind == kCrash ? options_.crashes_per_hour : options_.cuts_per_hour),
            event);
      const NodeRef ref = pick();
      if (calm(nodes_[ref]) && nodes_[ref].connected) die(ref, event.kind == kCrash);
      return;
    }
    case kShortCut:
    case kHalfCut: {
      const bool half = event.kind == kHalfCut;
      later(wait_for(half ? options_.half_cuts_per_hour : options_.short_cuts_per_hour), event);
      const NodeRef ref = pick();
      Node& node = nodes_[ref];
      if (!calm(node)) return;
      const int64_t ms = half ? between(1'000, 20'000) : between(100, 1'200);
      (half ? node.half_cut : node.cut) = true;
      node.calm_until_ms = now() + ms + 5'000;
      return later(ms, {.kind = kHeal, .node = ref});
    }
    case kServerPause: {
      later(wait_for(options_.server_pauses_per_hour), event);
      if (now() < server_calm_until_ms_) return;
      const int64_t ms = between(300, 5'000);
      server_paused_until_ms_ = now() + ms;
      server_calm_until_ms_ = now() + ms + 15'000;
      return later(ms, {.kind = kServerResume});
    }
    case kServerResume: {
      step(event::Tick{now() + wall_offset_ms_, 0});
      for (const SimEvent& held : std::exchange(server_held_, {})) handle(held);
      return;
    }
    case kServerCut: {
      later(wait_for(options_.server_cuts_per_hour), event);
      if (now() < server_calm_until_ms_) return;
      const int64_t ms = between(200, 5'000);
      server_cut_ = true;
      server_calm_until_ms_ = now() + ms + 15'000;
      return later(ms, {.kind = kServerHeal});
    }
    case kServerHeal:
      server_cut_ = false;
      return;
    case kClockJump:
      later(wait_for(options_.clock_jumps_per_hour), event);
      wall_offset_ms_ += between(-3'600'000, 3'600'000);
      return;
    case kSilentLook:
      later(1'000, event);
      if (now() < server_paused_until_ms_) return;
      for (NodeRef ref = 0; ref < nodes_.size(); ++ref) {
        Node& node = nodes_[ref];
        if (!node.connected || now() - node.heard_ms < kSilentLimitMs) continue;
        node.connected = false;
        step(event::Ended{ref, event::End::kSilent});
        later(1'000, {.kind = kConnect, .node = ref});
      }
      return;
    default:
      CHECK(false);
  }
}

bool ClusterSimulator::calm(const Node& node) const {
  return node.alive && !node.cut && !node.half_cut && !server_cut_ &&
         now() >= node.paused_until_ms + 1 && now() >= node.calm_until_ms;
}

NodeRef ClusterSimulator::pick() { return static_cast<NodeRef>(random_.below(nodes_.size())); }

void ClusterSimulator::pause(NodeRef ref) {
  nodes_[ref].paused_until_ms = now() + options_.stall_ms;
  later(options_.stall_ms, {.kind = kResume, .node = ref});
}

void ClusterSimulator::resume(NodeRef ref) {
  for (const SimEvent& held : std::exchange(nodes_[ref].held, {})) handle(held);
}

void ClusterSimulator::die(NodeRef ref, bool crashed) {
  Node& node = nodes_[ref];
  node.died_ms = now();
  node.crashed = crashed;
  node.calm_until_ms = now() + kDeadForMs + 30'000;
  later(kLatestFindMs, {.kind = kMissed, .node = ref, .a = static_cast<uint64_t>(now())});
  if (!crashed) {
    node.cut = true;
    return later(kDeadForMs, {.kind = kHeal, .node = ref});
  }
  node.alive = false;
  node.held.clear();
  send(ref, true, {.kind = kClosed, .node = ref, .a = node.epoch});
  later(kDeadForMs, {.kind = kRestart, .node = ref});
}

// The three packets of a new connection, then the hello.
void ClusterSimulator::connect(NodeRef ref) {
  Node& node = nodes_[ref];
  if (!node.alive || node.connected) return;
  if (!reaches(ref, kServer) || !reaches(kServer, ref)) {
    return later(kSynRetryMs, {.kind = kConnect, .node = ref});
  }
  ++node.epoch;
  node.number = 0;
  node.connected = true;
  node.heard_ms = now();
  node.up = node.down = {};
  send(ref, true, {.kind = kConnected, .node = ref});
}

void ClusterSimulator::step(const DetectorEvent& event) {
  for (const DetectorAction& action : detector_.step(now(), event)) act(action);
}

void ClusterSimulator::act(const DetectorAction& action) {
  if (const auto* probed = std::get_if<action::Probe>(&action)) {
    const SimEvent request{.kind = kProbeAsked,
                           .node = probed->via,
                           .a = probed->id,
                           .b = probed->node,
                           .c = static_cast<uint64_t>(probed->timeout_ms)};
    if (probed->via == kServer) return probe(request);
    if (nodes_[probed->via].connected) send(probed->via, false, request);
  } else if (const auto* echoed = std::get_if<action::Echo>(&action)) {
    const SimEvent request{.kind = kEchoAsked,
                           .node = echoed->via,
                           .a = echoed->id,
                           .b = echoed->node,
                           .c = static_cast<uint64_t>(echoed->interval_ms) << 32 |
                                static_cast<uint64_t>(echoed->duration_ms)};
    if (echoed->via == kServer) return later(0, request);
    if (nodes_[echoed->via].connected) send(echoed->via, false, request);
  } else if (const auto* stopped = std::get_if<action::StopEcho>(&action)) {
    const SimEvent request{.kind = kEchoStop, .node = stopped->via, .a = stopped->id};
    if (stopped->via == kServer) return later(0, request);
    if (nodes_[stopped->via].connected) send(stopped->via, false, request);
  } else if (const auto* changed = std::get_if<action::Changed>(&action)) {
    judge(*changed);
  } else if (std::holds_alternative<action::Flapping>(action)) {
    ++report_.flapping;
  }
}

void ClusterSimulator::judge(const action::Changed& changed) {
  if (!allowed(changed.from, changed.to)) {
    ++report_.wrong_changes;
    note(fmt::format("{} ms: node {} went from {} to {}", now(), changed.node,
                     model::node_state_name(changed.from), model::node_state_name(changed.to)));
  }
  if (changed.to != NodeState::kDown) return;
  const Node& node = nodes_[changed.node];
  if (node.died_ms != 0) {
    (node.crashed ? report_.crash_ms : report_.cut_ms).push_back(now() - node.died_ms);
    return;
  }
  if (now() - node.fit_since_ms < 200) return;  // was on its way
  ++report_.false_downs;
  note(fmt::format(
      "{} ms: node {} lives: {}", now(), changed.node,
      evidence_text(changed.evidence, [](NodeRef ref) { return "node " + std::to_string(ref); })));
}

void ClusterSimulator::note(const std::string& text) {
  if (report_.notes.size() < kMaxNotes) report_.notes.push_back(text);
}

}  // namespace binnacle::watch::heartbeat
