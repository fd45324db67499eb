#include "watch/heartbeat/detector.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"

namespace binnacle::watch::heartbeat {
namespace {

using model::NodeState;

constexpr int64_t kTrialEchoMs = 300;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

}  // namespace

Detector::Detector(const DetectorOptions& options)
    : options_(options),
      deviations_(deviations_of(options.phi.threshold)),
      longest_silence_ms_(std::max(options.longest_silence_ms, options.beat_interval_ms * 12 / 5)) {
  CHECK(options.beat_interval_ms > 0 && options.echo_interval_ms > 0);
}

const std::vector<DetectorAction>& Detector::step(int64_t now_ms, const DetectorEvent& event) {
  CHECK(now_ms >= now_ms_);
  now_ms_ = now_ms;
  actions_.clear();
  std::visit([this](const auto& one) { on(one); }, event);
  return actions_;
}

NodeState Detector::state(NodeRef ref) const {
  return ref < entries_.size() && entries_[ref] != nullptr ? entries_[ref]->state
                                                           : NodeState::kUnknown;
}

double Detector::phi(NodeRef ref, int64_t now_ms) const {
  if (ref >= entries_.size() || entries_[ref] == nullptr || !entries_[ref]->connected) return 0;
  const Entry& entry = *entries_[ref];
  return entry.intervals.phi(now_ms - entry.last_beat_ms, options_.phi);
}

Detector::Entry& Detector::entry(NodeRef ref) {
  if (ref >= entries_.size()) {
    entries_.resize(ref + 1);
    due_ms_.resize(ref + 1, kNever);
  }
  if (entries_[ref] == nullptr) entries_[ref] = std::make_unique<Entry>(options_);
  return *entries_[ref];
}

Detector::Entry* Detector::known(uint64_t id) {
  const auto ref = static_cast<NodeRef>(id);
  return ref < entries_.size() ? entries_[ref].get() : nullptr;
}

int64_t Detector::silence_ms(const Entry& entry) const {
  return std::min(entry.intervals.silence_ms(deviations_, options_.phi), longest_silence_ms_);
}

void Detector::expect_beat(NodeRef ref, Entry& entry) {
  entry.suspicious_looks = 0;
  due_ms_[ref] = entry.last_beat_ms + silence_ms(entry);
}

void Detector::on(const event::Connected& event) {
  Entry& entry = this->entry(event.node);
  entry.connected = true;
  entry.draining = false;
  entry.can_be_probed = event.can_be_probed;
  entry.can_be_echoed = event.can_be_echoed;
  entry.has_answered = false;
  if (event.can_be_echoed && !event.can_be_probed) {
    // Whether echoes get through is to be known before it matters.
    actions_.emplace_back(action::Echo{new_id(event.node), kServer, event.node,
                                       options_.echo_interval_ms, kTrialEchoMs});
  }
  entry.last_number = 0;
  const int64_t silent_ms = now_ms_ - entry.last_beat_ms;
  entry.last_beat_ms = now_ms_;
  entry.no_interval_ms = now_ms_;  // the first beat comes at once
  expect_beat(event.node, entry);
  if (entry.state == NodeState::kDown) {
    entry.returned_ms = now_ms_;
    entry.beats_since_return = 0;
    return look_at_return(event.node, entry);
  }
  Evidence why = evidence(entry, Cause::kConnected);
  if (entry.suspicion != nullptr) {
    why.cause = Cause::kBeatsAgain;
    why.silent_ms = silent_ms;
    ++counts_.false_alarms;
    end_suspicion(entry);
  }
  change(event.node, entry, NodeState::kUp, std::move(why));
}

void Detector::on(const event::Beat& event) {
  Entry& entry = this->entry(event.node);
  if (!entry.connected || event.number <= entry.last_number) {
    ++counts_.replayed_beats;
    return;
  }
  entry.last_number = event.number;
  const int64_t interval_ms = now_ms_ - entry.last_beat_ms;
  if (entry.last_beat_ms > entry.no_interval_ms) {
    entry.intervals.add(interval_ms, longest_silence_ms_);
  }
  entry.last_beat_ms = now_ms_;
  if (entry.state == NodeState::kSuspect) alive(event.node, entry, Cause::kBeatsAgain);
  expect_beat(event.node, entry);
  if (entry.state != NodeState::kDown) return;
  if (entry.returned_ms == 0 || interval_ms > longest_silence_ms_) {
    entry.returned_ms = now_ms_;
    entry.beats_since_return = 0;
  }
  ++entry.beats_since_return;
  look_at_return(event.node, entry);
}

// Back for long enough, and heard just now.
void Detector::look_at_return(NodeRef ref, Entry& entry) {
  const int64_t wait_ms = entry.readmission.wait_ms(options_.readmission);
  if (entry.beats_since_return < options_.rise || now_ms_ - entry.returned_ms < wait_ms) return;
  entry.returned_ms = 0;
  Evidence why = evidence(entry, wait_ms == 0 ? Cause::kBeatsAgain : Cause::kReadmitted);
  why.readmission_ms = wait_ms;
  change(ref, entry, entry.draining ? NodeState::kDraining : NodeState::kUp, std::move(why));
}

void Detector::alive(NodeRef ref, Entry& entry, Cause cause) {
  Evidence why = evidence(entry, cause);
  if (entry.suspicion != nullptr) {
    why.suspect_ms = now_ms_ - entry.suspicion->since_ms;
    why.silent_ms = std::max(why.silent_ms, why.suspect_ms);
    ++counts_.false_alarms;
    end_suspicion(entry);
  }
  change(ref, entry, entry.draining ? NodeState::kDraining : NodeState::kUp, std::move(why));
}

void Detector::on(const event::Ended& event) {
  Entry& entry = this->entry(event.node);
  entry.connected = false;
  due_ms_[event.node] = kNever;
  if (event.how == event::End::kGoodbye) {
    end_suspicion(entry);
    entry.returned_ms = 0;
    return change(event.node, entry, NodeState::kLeft, evidence(entry, Cause::kGoodbye));
  }
  if (entry.state == NodeState::kDown) {
    entry.returned_ms = 0;
    return;
  }
  if (entry.state != NodeState::kSuspect) return suspect(event.node, entry, true);
  // Closed by this server for its silence, it is no more suspicious than before.
  if (event.how == event::End::kClosed) {
    entry.suspicion->closed = true;
    end_echoes(*entry.suspicion);
    entry.suspicion->next_probe_ms = entry.suspicion->next_echo_ms = now_ms_;
    want(entry, *entry.suspicion);
  }
  pursue(event.node, entry);
}

void Detector::on(const event::Drain& event) {
  Entry& entry = this->entry(event.node);
  entry.draining = true;
  if (entry.state == NodeState::kUp) {
    change(event.node, entry, NodeState::kDraining, evidence(entry, Cause::kDrained));
  }
}

void Detector::on(const event::Forget& event) {
  if (event.node >= entries_.size() || entries_[event.node] == nullptr) return;
  end_suspicion(*entries_[event.node]);
  entries_[event.node].reset();
  due_ms_[event.node] = kNever;
}

void Detector::on(const event::Tick& event) {
  doubt(event);
  for (NodeRef ref = 0; ref < due_ms_.size(); ++ref) {
    if (now_ms_ >= due_ms_[ref]) look(ref, *entries_[ref]);
  }
}

void Detector::look(NodeRef ref, Entry& entry) {
  if (entry.suspicion != nullptr) return pursue(ref, entry);
  if (entry.state == NodeState::kDown || !entry.connected) {
    entry.returned_ms = 0;  // away again
    due_ms_[ref] = kNever;
    return;
  }
  if (++entry.suspicious_looks >= options_.fall) suspect(ref, entry, false);
}

// While this process stood still or its clock moved, silence says nothing.
void Detector::doubt(const event::Tick& event) {
  const int64_t passed_ms = last_tick_ms_ == 0 ? kTickMs : now_ms_ - last_tick_ms_;
  const int64_t jump_ms = last_tick_ms_ == 0 ? 0 : event.wall_ms - last_wall_ms_ - passed_ms;
  const int64_t lag_ms = std::max(passed_ms - kTickMs, event.own_lag_ms);
  last_tick_ms_ = now_ms_;
  last_wall_ms_ = event.wall_ms;
  if (lag_ms < options_.own_lag_ms && std::abs(jump_ms) < options_.clock_jump_ms) return;
  ++counts_.doubts;
  actions_.emplace_back(action::Doubted{lag_ms, jump_ms});
  for (NodeRef ref = 0; ref < entries_.size(); ++ref) {
    if (entries_[ref] == nullptr) continue;
    Entry& entry = *entries_[ref];
    entry.no_interval_ms = now_ms_;
    if (entry.suspicion == nullptr) {
      if (due_ms_[ref] != kNever) {
        due_ms_[ref] = std::max(due_ms_[ref], now_ms_ + options_.settle_ms);
      }
      continue;
    }
    Suspicion& open = *entry.suspicion;
    if (open.restarts++ >= options_.max_restarts) continue;
    end_echoes(open);
    open.probes.reset();
    open.since_ms = open.nothing_since_ms = now_ms_;
    open.next_probe_ms = open.next_echo_ms = now_ms_ + options_.settle_ms;
  }
}

Evidence Detector::evidence(const Entry& entry, Cause cause) const {
  Evidence why;
  why.cause = cause;
  why.silent_ms = now_ms_ - entry.last_beat_ms;
  if (entry.suspicion != nullptr) {
    why.suspect_ms = now_ms_ - entry.suspicion->since_ms;
    why.echoes_answered = entry.suspicion->echoes_answered;
  }
  return why;
}

void Detector::change(NodeRef ref, Entry& entry, NodeState to, Evidence evidence) {
  if (entry.state == to) return;
  const NodeState from = std::exchange(entry.state, to);
  const bool seldom = from == NodeState::kUnknown || to == NodeState::kLeft ||
                      from == NodeState::kLeft || to == NodeState::kDraining;
  bool quiet = false;
  if (!seldom) {
    const bool before = entry.flaps.flapping();
    const bool flapping = entry.flaps.changed(now_ms_, options_.flapping);
    if (flapping && !before) {
      actions_.emplace_back(
          action::Flapping{ref, entry.flaps.changes(), options_.flapping.window_ms});
    }
    // Somebody may act on a death and its end.
    quiet = flapping && to != NodeState::kDown && from != NodeState::kDown;
  }
  actions_.emplace_back(action::Changed{ref, from, to, quiet, std::move(evidence)});
}

}  // namespace binnacle::watch::heartbeat
