// What the detector does about a suspect: asks peers, weighs what they say, decides.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "watch/heartbeat/detector.h"

namespace binnacle::watch::heartbeat {
namespace {

using model::NodeState;

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
// A confirmer that comes late into a round must still say something of its own.
constexpr int64_t kShortestSpanMs = 500;

}  // namespace

void Detector::suspect(NodeRef ref, Entry& entry, bool closed) {
  ++counts_.suspicions;
  Evidence why = evidence(entry, closed ? Cause::kClosed : Cause::kSilent);
  why.phi = entry.intervals.phi(why.silent_ms, options_.phi);
  entry.suspicion = std::make_unique<Suspicion>();
  Suspicion& suspicion = *entry.suspicion;
  suspicion.since_ms = suspicion.nothing_since_ms = now_ms_;
  suspicion.closed = closed;
  want(entry, suspicion);
  change(ref, entry, NodeState::kSuspect, std::move(why));
  pursue(ref, entry);
}

// How the node can be asked: what a closed connection tells is best confirmed by its port.
void Detector::want(const Entry& entry, Suspicion& suspicion) {
  suspicion.soon = suspicion.closed && !entry.can_be_probed && entry.has_answered;
  suspicion.wants_echoes = suspicion.soon || (!suspicion.closed && entry.can_be_echoed);
  suspicion.wants_probes = entry.can_be_probed && !suspicion.wants_echoes;
}

// Everything that time or an answer can bring about in a suspicion.
void Detector::pursue(NodeRef ref, Entry& entry) {
  CHECK(entry.suspicion != nullptr);
  if (pursue_probes(ref, entry) || pursue_echoes(ref, entry) || limits_passed(ref, entry)) return;
  due_ms_[ref] = now_ms_ + 1;  // the next tick
}

bool Detector::pursue_probes(NodeRef ref, Entry& entry) {
  Suspicion& suspicion = *entry.suspicion;
  if (!suspicion.wants_probes) return false;
  if (!suspicion.probes) {
    if (now_ms_ >= suspicion.next_probe_ms) begin_probes(ref, suspicion);
    return false;
  }
  const ProbeRound& round = *suspicion.probes;
  switch (round.verdict(now_ms_, options_)) {
    case ProbeRound::Verdict::kOpen:
      return false;
    case ProbeRound::Verdict::kReached:
      suspicion.last_answer_ms = suspicion.nothing_since_ms = now_ms_;
      break;
    case ProbeRound::Verdict::kRefused: {
      Evidence why = evidence(entry, Cause::kRefused);
      why.confirmed_by = round.refused_by();
      why.asked = round.asked();
      why.refused = static_cast<uint32_t>(why.confirmed_by.size());
      down(ref, entry, std::move(why));
      return true;
    }
    case ProbeRound::Verdict::kNoAnswer:
      suspicion.wants_echoes = entry.can_be_echoed;
      break;
  }
  suspicion.next_probe_ms = round.began_ms() + options_.probe_again_ms;
  suspicion.probes.reset();
  return false;
}

void Detector::begin_probes(NodeRef ref, Suspicion& suspicion) {
  ProbeRound& round = suspicion.probes.emplace(now_ms_);
  const auto ask = [&](NodeRef via) {
    const uint64_t id = new_id(ref);
    round.ask(id, via);
    actions_.emplace_back(action::Probe{id, via, ref, options_.probe_timeout_ms});
  };
  ask(kServer);
  std::vector<NodeRef> taken;
  while (taken.size() < options_.confirmers) {
    const NodeRef peer =
        next_peer(ref, [&](NodeRef one) { return std::ranges::find(taken, one) != taken.end(); });
    if (peer == kServer) break;
    taken.push_back(peer);
    ask(peer);
  }
}

bool Detector::pursue_echoes(NodeRef ref, Entry& entry) {
  Suspicion& suspicion = *entry.suspicion;
  if (!suspicion.wants_echoes) return false;
  if (!suspicion.echoes) {
    if (now_ms_ >= suspicion.next_echo_ms) begin_echoes(ref, suspicion);
    return false;
  }
  replace_idle(ref, suspicion);
  const EchoRound& round = *suspicion.echoes;
  const int64_t span_end_ms = round.began_ms() + round.span_ms();
  const int64_t due_ms = round.closed()
                             ? span_end_ms
                             : std::max(entry.last_beat_ms + options_.silent_down_ms, span_end_ms);
  if (now_ms_ < due_ms) return false;
  const EchoRound::Tally tally = round.tally(options_);
  const bool late = now_ms_ >= due_ms + round.grace_ms();
  // Of those asked some did not do their work; two witnesses will do, or one where no other lives.
  const uint32_t witnesses = tally.peers + (tally.server ? 1 : 0);
  // A closed connection is a witness itself.
  const bool alone = round.closed() || !others_known(ref);
  const bool enough = round.enough(tally, options_) && (tally.peers > 0 || alone);
  if (enough || (late && (witnesses >= 2 || (witnesses == 1 && alone)))) {
    Evidence why = evidence(entry, round.closed() ? Cause::kClosedUnanswered : Cause::kUnanswered);
    why.asked = static_cast<uint32_t>(round.asked().size());
    why.echoes_sent = tally.sent;
    why.confirmed_by = tally.valid;
    down(ref, entry, std::move(why));
    return true;
  }
  if (late) {
    end_echoes(suspicion);
    suspicion.next_echo_ms = now_ms_;
  }
  return false;
}

void Detector::begin_echoes(NodeRef ref, Suspicion& suspicion) {
  EchoRound& round = suspicion.echoes.emplace(now_ms_, suspicion.soon, options_);
  const uint64_t id = new_id(ref);
  round.ask(id, kServer, round.span_ms());
  actions_.emplace_back(action::Echo{id, kServer, ref, round.interval_ms(), round.span_ms()});
  while (round.peers() < options_.confirmers + options_.spare_confirmers &&
         ask_peer_for_echoes(ref, round, round.span_ms())) {
  }
  round.first_asked();
}

bool Detector::ask_peer_for_echoes(NodeRef ref, EchoRound& round, int64_t duration_ms) {
  const NodeRef peer = next_peer(ref, [&](NodeRef one) {
    const Entry& entry = *entries_[one];
    return !entry.can_be_echoed || entry.echoes_sent_for_others >= options_.max_echoes_of_a_peer ||
           round.has(one);
  });
  if (peer == kServer) return false;
  const uint64_t id = new_id(ref);
  round.ask(id, peer, duration_ms);
  ++entries_[peer]->echoes_sent_for_others;
  actions_.emplace_back(action::Echo{id, peer, ref, round.interval_ms(), duration_ms});
  return true;
}

// A confirmer that is silent itself, or ended early, is no witness.
void Detector::replace_idle(NodeRef ref, Suspicion& suspicion) {
  EchoRound& round = *suspicion.echoes;
  if (round.closed()) return;  // it is over before anybody else could begin
  const int64_t end_ms = round.began_ms() + round.span_ms();
  std::vector<uint64_t> idle;
  for (const EchoRound::Asked& one : round.asked()) {
    if (one.via == kServer || one.dismissed) continue;
    const bool failed = one.done && round.lazy(one, options_);
    const bool silent =
        !one.done && (entries_[one.via] == nullptr || !fit_to_confirm(*entries_[one.via]));
    if (failed || silent) idle.push_back(one.id);
  }
  for (const uint64_t id : idle) {
    if (round.asked().size() >= options_.max_asked) return;
    const int64_t span_ms = std::clamp(end_ms - now_ms_, kShortestSpanMs, options_.echo_span_ms);
    if (!ask_peer_for_echoes(ref, round, span_ms)) return;
    round.dismiss(id);
  }
}

bool Detector::limits_passed(NodeRef ref, Entry& entry) {
  const Suspicion& suspicion = *entry.suspicion;
  const int64_t suspect_ms = now_ms_ - suspicion.since_ms;
  const int64_t heard_ms = std::max(suspicion.last_answer_ms, suspicion.since_ms);
  if (suspicion.closed && !entry.can_be_probed && !suspicion.wants_echoes &&
      suspect_ms >= options_.not_back_ms) {
    down(ref, entry, evidence(entry, Cause::kNotBack));
    return true;
  }
  // Without echoes, machines that answer no connection for the span are as good as silent ones.
  if (suspicion.wants_probes && !entry.can_be_echoed &&
      now_ms_ - suspicion.nothing_since_ms >= options_.echo_span_ms &&
      now_ms_ >= entry.last_beat_ms + options_.silent_down_ms) {
    down(ref, entry, evidence(entry, Cause::kUnanswered));
    return true;
  }
  if (suspect_ms >= options_.no_beat_limit_ms) {
    down(ref, entry, evidence(entry, Cause::kNoBeats));
    return true;
  }
  if (now_ms_ - heard_ms >= options_.alone_limit_ms) {
    down(ref, entry, evidence(entry, Cause::kUnconfirmed));
    return true;
  }
  return false;
}

void Detector::on(const event::ProbeReply& event) {
  Entry* entry = known(event.id);
  if (entry == nullptr || entry->suspicion == nullptr || !entry->suspicion->probes) return;
  if (!entry->suspicion->probes->reply(event.id, event.outcome)) return;
  pursue(static_cast<NodeRef>(event.id), *entry);
}

void Detector::on(const event::EchoReport& event) {
  Entry* entry = known(event.id);
  if (entry == nullptr) return;
  if (event.answered > 0 && entry->connected) entry->has_answered = true;
  if (entry->suspicion == nullptr || !entry->suspicion->echoes) return;
  Suspicion& suspicion = *entry->suspicion;
  const EchoRound::Asked* asked = suspicion.echoes->report(event);
  if (asked == nullptr) return;
  if (event.answered > 0) {
    suspicion.last_answer_ms = now_ms_;
    suspicion.echoes_answered += event.answered;
    suspicion.next_echo_ms =
        std::max(now_ms_, suspicion.echoes->began_ms() + options_.echo_again_ms);
    end_echoes(suspicion);
  }
  pursue(static_cast<NodeRef>(event.id), *entry);
}

void Detector::end_echoes(Suspicion& suspicion) {
  if (!suspicion.echoes) return;
  for (const EchoRound::Asked& one : suspicion.echoes->asked()) {
    if (one.via != kServer && entries_[one.via] != nullptr &&
        entries_[one.via]->echoes_sent_for_others > 0) {
      --entries_[one.via]->echoes_sent_for_others;
    }
    if (!one.done) actions_.emplace_back(action::StopEcho{one.id, one.via});
  }
  suspicion.echoes.reset();
}

void Detector::end_suspicion(Entry& entry) {
  if (entry.suspicion == nullptr) return;
  end_echoes(*entry.suspicion);
  entry.suspicion.reset();
}

bool Detector::fit_to_confirm(const Entry& entry) const {
  return entry.connected &&
         (entry.state == NodeState::kUp || entry.state == NodeState::kDraining) &&
         now_ms_ - entry.last_beat_ms < longest_silence_ms_;
}

bool Detector::others_known(NodeRef ref) const {
  for (NodeRef one = 0; one < entries_.size(); ++one) {
    if (one == ref || entries_[one] == nullptr) continue;
    const NodeState state = entries_[one]->state;
    if (state == NodeState::kUp || state == NodeState::kSuspect || state == NodeState::kDraining) {
      return true;
    }
  }
  return false;
}

template <typename Taken>
NodeRef Detector::next_peer(NodeRef suspect, const Taken& taken) {
  const auto count = static_cast<NodeRef>(entries_.size());
  for (NodeRef i = 0; i < count; ++i) {
    peer_cursor_ = peer_cursor_ + 1 >= count ? 0 : peer_cursor_ + 1;
    const Entry* entry = entries_[peer_cursor_].get();
    if (peer_cursor_ == suspect || entry == nullptr || !fit_to_confirm(*entry)) continue;
    if (!taken(peer_cursor_)) return peer_cursor_;
  }
  return kServer;
}

void Detector::down(NodeRef ref, Entry& entry, Evidence evidence) {
  ++counts_.downs;
  end_suspicion(entry);
  due_ms_[ref] = kNever;
  entry.readmission.went_down(now_ms_, options_.readmission);
  entry.returned_ms = 0;
  change(ref, entry, NodeState::kDown, std::move(evidence));
}

}  // namespace binnacle::watch::heartbeat
