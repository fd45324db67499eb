#include "watch/heartbeat/suspicion.h"

#include <algorithm>

namespace binnacle::watch::heartbeat {
namespace {

constexpr size_t kRefusalsInAHurry = 2;

}  // namespace

bool ProbeRound::reply(uint64_t id, ProbeOutcome outcome) {
  const auto it = std::ranges::find(asked_, id, &Asked::id);
  if (it == asked_.end() || it->outcome) return false;
  it->outcome = outcome;
  return true;
}

size_t ProbeRound::count(std::optional<ProbeOutcome> outcome) const {
  return static_cast<size_t>(std::ranges::count(asked_, outcome, &Asked::outcome));
}

ProbeRound::Verdict ProbeRound::verdict(int64_t now_ms, const DetectorOptions& options) const {
  if (count(ProbeOutcome::kReached) > 0) return Verdict::kReached;
  const size_t refused = count(ProbeOutcome::kRefused);
  const int64_t age_ms = now_ms - began_ms_;
  if (count(std::nullopt) > 0 && age_ms < options.probe_timeout_ms) {
    const bool hurry = age_ms >= options.probe_hurry_ms && refused >= kRefusalsInAHurry;
    if (!hurry) return Verdict::kOpen;
  }
  return refused > 0 ? Verdict::kRefused : Verdict::kNoAnswer;
}

std::vector<NodeRef> ProbeRound::refused_by() const {
  std::vector<NodeRef> by;
  for (const Asked& asked : asked_) {
    if (asked.outcome == ProbeOutcome::kRefused) by.push_back(asked.via);
  }
  return by;
}

const EchoRound::Asked* EchoRound::report(const event::EchoReport& report) {
  const auto it = std::ranges::find(asked_, report.id, &Asked::id);
  if (it == asked_.end()) return nullptr;
  it->sent = std::max(it->sent, report.sent);
  it->answered = std::max(it->answered, report.answered);
  it->done = it->done || report.done;
  return &*it;
}

void EchoRound::dismiss(uint64_t id) {
  const auto it = std::ranges::find(asked_, id, &Asked::id);
  if (it != asked_.end()) it->dismissed = true;
}

uint32_t EchoRound::peers() const {
  return static_cast<uint32_t>(std::ranges::count_if(
      asked_, [](const Asked& one) { return one.via != kServer && !one.dismissed; }));
}

bool EchoRound::has(NodeRef via) const {
  return std::ranges::find(asked_, via, &Asked::via) != asked_.end();
}

bool EchoRound::lazy(const Asked& one, const DetectorOptions& options) const {
  const double due = static_cast<double>(one.duration_ms) / static_cast<double>(interval_ms_);
  return static_cast<double>(one.sent) < options.echo_share * due;
}

EchoRound::Tally EchoRound::tally(const DetectorOptions& options) const {
  Tally tally;
  for (const Asked& one : asked_) {
    if (!one.done || one.answered > 0 || lazy(one, options)) continue;
    tally.sent += one.sent;
    tally.valid.push_back(one.via);
    if (one.via == kServer) {
      tally.server = true;
    } else {
      ++tally.peers;
    }
  }
  return tally;
}

bool EchoRound::enough(const Tally& tally, const DetectorOptions& options) const {
  if (first_peers_ >= options.confirmers) return tally.peers >= options.confirmers;
  return tally.peers + (tally.server ? 1 : 0) >= first_peers_ + 1;
}

}  // namespace binnacle::watch::heartbeat
