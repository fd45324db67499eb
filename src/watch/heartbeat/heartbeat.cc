#include "watch/heartbeat/heartbeat.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"

namespace binnacle::watch::heartbeat {
namespace {

using model::NodeState;
using nlohmann::json;

event::End end_of(link::LinkEnd how) {
  switch (how) {
    case link::LinkEnd::kGoodbye:
      return event::End::kGoodbye;
    case link::LinkEnd::kSilent:
      return event::End::kSilent;
    case link::LinkEnd::kClosed:
    case link::LinkEnd::kMalformed:
    case link::LinkEnd::kSlow:
      return event::End::kClosed;
  }
  return event::End::kClosed;
}

json evidence_json(const Evidence& e) {
  return {{"cause", cause_name(e.cause)},
          {"silent_seconds", static_cast<double>(e.silent_ms) / 1000},
          {"suspect_seconds", static_cast<double>(e.suspect_ms) / 1000},
          {"phi", e.phi},
          {"asked", e.asked},
          {"refused", e.refused},
          {"echoes_sent", e.echoes_sent},
          {"echoes_answered", e.echoes_answered}};
}

}  // namespace

Heartbeat::Heartbeat(HeartbeatOptions options, HeartbeatDeps deps)
    : options_(std::move(options)),
      deps_(std::move(deps)),
      metrics_(deps_.registry),
      events_(deps_.events, deps_.pool, deps_.clock, metrics_.events_lost),
      detector_(options_.detector),
      expected_(options_.expected, options_.join_grace_ms, deps_.clock.wall_ms()) {}

Heartbeat::~Heartbeat() { stop(); }

void Heartbeat::start() {
  if (thread_.joinable()) return;
  {
    const MutexLock lock(mu_);
    stopped_ = false;
  }
  {
    const MutexLock lock(thread_mu_);
    stopping_ = false;
  }
  thread_ = std::thread([this] { run(); });
}

void Heartbeat::stop() {
  {
    const MutexLock lock(mu_);
    stopped_ = true;
  }
  if (!thread_.joinable()) return;
  {
    const MutexLock lock(thread_mu_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Heartbeat::run() {
  int64_t next_ms = deps_.clock.monotonic_ms();
  for (;;) {
    next_ms = std::max(next_ms + Detector::kTickMs, deps_.clock.monotonic_ms());
    {
      const MutexLock lock(thread_mu_);
      while (!stopping_) {
        const int64_t left_ms = next_ms - deps_.clock.monotonic_ms();
        if (left_ms <= 0) break;
        wake_.wait_for_ms(thread_mu_, left_ms);
      }
      if (stopping_) return;
    }
    tick();
  }
}

void Heartbeat::tick() {
  const int64_t io_lag_ms = deps_.io_lag_ms ? std::max<int64_t>(deps_.io_lag_ms(), 0) : 0;
  const MutexLock lock(mu_);
  const int64_t now_ms = deps_.clock.monotonic_ms();
  const int64_t passed_ms = ticked_ms_ == 0 ? 0 : now_ms - ticked_ms_;
  ticked_ms_ = now_ms;
  metrics_.own_lag.set(
      static_cast<double>(std::max({io_lag_ms, passed_ms - Detector::kTickMs, int64_t{0}})) / 1000);
  step(event::Tick{deps_.clock.wall_ms(), io_lag_ms});
  look_at_missing();
  look_at_drift();
  drop_old_questions();
}

void Heartbeat::connected(const model::Node& node) {
  const auto record = deps_.table.record(node.id);
  const MutexLock lock(mu_);
  const NodeRef ref = ref_of(node);
  Known& known = *nodes_[ref];
  known.probe_address = record ? record->probe_address : "";
  known.echo_address = record ? record->echo_address : "";
  expected_.seen(node.name);
  step(event::Connected{ref, !known.probe_address.empty(), !known.echo_address.empty()});
}

void Heartbeat::beat(const model::NodeId& node, const link::BeatTimes& times) {
  const MutexLock lock(mu_);
  const auto ref = ref_of(node, times);
  if (!ref) return;
  nodes_[*ref]->loop_lag_us = times.loop_lag_us;
  step(event::Beat{*ref, times.number});
}

void Heartbeat::disconnected(const model::Node& node, link::LinkEnd how, std::string_view) {
  const MutexLock lock(mu_);
  const auto it = by_id_.find(node.id.value);
  if (it != by_id_.end()) step(event::Ended{it->second, end_of(how)});
}

void Heartbeat::drained(const model::Node& node) {
  const MutexLock lock(mu_);
  const auto it = by_id_.find(node.id.value);
  if (it != by_id_.end()) step(event::Drain{it->second});
}

void Heartbeat::probe_reply(const model::Node&, const link::ProbeReply& reply) {
  const MutexLock lock(mu_);
  const auto it = probes_.find(reply.id);
  if (it == probes_.end()) return;  // of another asker
  const uint64_t id = it->second.id;
  probes_.erase(it);
  step(event::ProbeReply{id, probe_outcome(reply.reached, reply.error)});
}

void Heartbeat::echo_reply(const model::Node&, const link::EchoReply& reply) {
  const MutexLock lock(mu_);
  const auto it = echoes_.find(reply.id);
  if (it == echoes_.end()) return;
  const uint64_t id = it->second.id;
  if (reply.done) {
    asked_echoes_.erase(id);
    echoes_.erase(it);
  }
  step(event::EchoReport{id, reply.sent, reply.answered, reply.done});
}

void Heartbeat::facts(const model::Node& node, const link::Facts& facts) {
  const MutexLock lock(mu_);
  const auto it = by_id_.find(node.id.value);
  if (it == by_id_.end()) return;
  NodeFacts& kept = nodes_[it->second]->facts;
  kept.facts.clear();
  for (const link::Fact& fact : facts.facts) kept.facts[fact.name] = fact.value;
  drift_due_ = true;
}

void Heartbeat::answered_here(const DetectorEvent& event) {
  const MutexLock lock(mu_);
  const auto* report = std::get_if<event::EchoReport>(&event);
  if (report != nullptr && report->done) asked_echoes_.erase(report->id);
  step(event);
}

// What fails at once is heard after all else of the step was done.
void Heartbeat::step(const DetectorEvent& event) {
  if (stopped_) return;
  const auto take = [this](const DetectorEvent& one) REQUIRES(mu_) {
    for (const DetectorAction& action : detector_.step(deps_.clock.monotonic_ms(), one)) {
      std::visit([this](const auto& a) REQUIRES(mu_) { act(a); }, action);
    }
  };
  take(event);
  for (size_t i = 0; i < at_once_.size(); ++i) take(DetectorEvent(at_once_[i]));
  at_once_.clear();
  metrics_.counted(detector_.counts());
}

void Heartbeat::act(const action::Probe& action) {
  const std::string& address = nodes_[action.node]->probe_address;
  if (action.via == kServer) {
    return deps_.confirmers.probe_here(address, action.timeout_ms,
                                       [this, id = action.id](ProbeOutcome outcome) {
                                         answered_here(event::ProbeReply{id, outcome});
                                       });
  }
  const auto asked =
      deps_.confirmers.probe(nodes_[action.via]->node.id, address, action.timeout_ms);
  if (asked) {
    probes_[*asked] = {action.id, action.via, deps_.clock.monotonic_ms()};
  } else {
    at_once_.emplace_back(event::ProbeReply{action.id, ProbeOutcome::kNoAnswer});
  }
}

void Heartbeat::act(const action::Echo& action) {
  const std::string& address = nodes_[action.node]->echo_address;
  const auto asked =
      action.via == kServer
          ? deps_.confirmers.echo_here(
                address, action.interval_ms, action.duration_ms,
                [this, id = action.id](const EchoCount& count) {
                  answered_here(event::EchoReport{id, count.sent, count.answered, count.done});
                })
          : deps_.confirmers.echo(nodes_[action.via]->node.id, address, action.interval_ms,
                                  action.duration_ms);
  if (!asked) {
    at_once_.emplace_back(event::EchoReport{.id = action.id, .done = true});
    return;
  }
  asked_echoes_[action.id] = *asked;
  if (action.via != kServer) {
    echoes_[*asked] = {action.id, action.via, deps_.clock.monotonic_ms()};
  }
}

void Heartbeat::act(const action::StopEcho& action) {
  const auto it = asked_echoes_.find(action.id);
  if (it == asked_echoes_.end()) return;
  const uint64_t asked = it->second;
  asked_echoes_.erase(it);
  if (action.via == kServer) return deps_.confirmers.stop_echo_here(asked);
  echoes_.erase(asked);
  if (nodes_[action.via] != nullptr) deps_.confirmers.stop_echo(nodes_[action.via]->node.id, asked);
}

void Heartbeat::act(const action::Changed& action) {
  Known& known = *nodes_[action.node];
  known.node.state = action.to;
  known.node.since_ms = deps_.clock.wall_ms();
  known.reason =
      evidence_text(action.evidence, [this](NodeRef ref) REQUIRES(mu_) { return name_of(ref); });
  metrics_.moved(action.from, action.to, action.from == NodeState::kUnknown);
  if (action.to == NodeState::kDown) metrics_.found_down(action.evidence);
  if (action.quiet) return;
  publish(fmt::format("node.{}", model::node_state_name(action.to)), known, &action.evidence,
          known.reason);
  const std::string_view state = model::node_state_name(action.to);
  if (action.to == NodeState::kDown || action.to == NodeState::kSuspect) {
    log_.warn("node is not well",
              {{"node", known.node.name}, {"state", state}, {"reason", known.reason}});
  } else {
    log_.info("node changed",
              {{"node", known.node.name}, {"state", state}, {"reason", known.reason}});
  }
}

void Heartbeat::act(const action::Flapping& action) {
  const Known& known = *nodes_[action.node];
  metrics_.flapping.add();
  publish("node.flapping", known, nullptr,
          fmt::format("changed its state {} times within {} minutes; its suspicions are no events "
                      "of their own until it is calm",
                      action.changes, action.window_ms / 60'000));
}

void Heartbeat::act(const action::Doubted& action) {
  log_.warn("this server was late or its clock jumped; suspicions start over",
            {{"lag_ms", action.lag_ms}, {"clock_jump_ms", action.jump_ms}});
}

void Heartbeat::publish(std::string kind, const Known& known, const Evidence* evidence,
                        std::string reason) {
  json data = evidence == nullptr ? json::object() : evidence_json(*evidence);
  if (evidence != nullptr) {
    json by = json::array();
    for (const NodeRef ref : evidence->confirmed_by) by.push_back(name_of(ref));
    data["confirmed_by"] = std::move(by);
  }
  data["node_id"] = known.node.id.value;
  data["role"] = known.node.role;
  data["cluster"] = known.node.cluster;
  data["address"] = known.node.address;
  data["reason"] = std::move(reason);
  events_.post({.kind = std::move(kind),
                .subject = known.node.name,
                .data = data.dump(-1, ' ', false, json::error_handler_t::replace)});
}

std::string Heartbeat::name_of(NodeRef ref) const {
  if (ref == kServer) return "this server";
  return ref < nodes_.size() && nodes_[ref] != nullptr ? nodes_[ref]->node.name : "a node";
}

}  // namespace binnacle::watch::heartbeat
