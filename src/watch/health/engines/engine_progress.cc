#include "watch/health/engines/engine_progress.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/check.h"

namespace binnacle::watch::health {
namespace {

using Outcome = CanaryResult::Outcome;

constexpr int kRefusedLooks = 2;
constexpr size_t kMaxPauses = 8;
constexpr double kComputes = 0.5;       // cores
constexpr double kKvOfCanary = 0.005;   // more of the cache than any canary takes
constexpr double kWorkingPower = 0.5;   // of the limit
constexpr double kSpinningPower = 0.3;  // of the limit, while
constexpr double kSpinningUse = 0.85;   // of the time the GPU is said to be busy

constexpr std::array<std::string_view, kEngineStates> kStateNames = {
    "unknown", "idle", "serving", "loading", "draining", "degraded", "wedged", "down"};

std::string seconds(int64_t ms) { return fmt::format("{:.1f} s", static_cast<double>(ms) / 1'000); }

// What a counter rose by, less what our own canaries may have put there. After a restart it begins
// anew: what it shows then is progress.
double rise(const std::optional<double>& before, const std::optional<double>& after,
            double& unseen) {
  if (!before || !after) return 0;
  const double delta = *after < *before ? *after : *after - *before;
  const double ours = std::min(delta, unseen);
  unseen -= ours;
  return delta - ours;
}

double change(const std::optional<double>& before, const std::optional<double>& after) {
  return before && after ? std::abs(*after - *before) : 0;
}

}  // namespace

std::string_view engine_state_name(EngineState state) {
  return kStateNames.at(static_cast<size_t>(state));
}

EngineProgress::EngineProgress(const ProgressOptions& options, EngineNature nature)
    : options_(options), nature_(nature) {}

void EngineProgress::look(int64_t now_ms, const Vitals& vitals) {
  using Answer = Vitals::Answer;
  looks_refused_ = vitals.answer == Answer::kRefused ? looks_refused_ + 1 : 0;
  if (vitals.answer != Answer::kSilent) {
    silent_since_ms_.reset();
  } else if (!silent_since_ms_) {
    silent_since_ms_ = now_ms;
  }
  if (vitals.answer != Answer::kGood) return;
  if (!newest_) {
    warm_ = vitals.generated_tokens.value_or(0) > 0;
  } else if (progressed(vitals)) {
    note_progress(now_ms, vitals);
  }
  newest_ = vitals;
  note_load(now_ms);
  canary_seen_ = canary_open_;
}

bool EngineProgress::progressed(const Vitals& vitals) {
  const double tokens = rise(newest_->generated_tokens, vitals.generated_tokens, unseen_tokens_);
  const double finished = rise(newest_->finished, vitals.finished, unseen_requests_);
  if (tokens > 0 || finished > 0) return true;
  // These two move with a canary as well, though by little. What is running or waiting says
  // nothing: clients come and give up whatever the engine does.
  const bool ours = canary_seen_ || canary_open_;
  if (change(newest_->kv_usage, vitals.kv_usage) > (ours ? kKvOfCanary : 0)) return true;
  return !ours && change(newest_->prompt_tokens, vitals.prompt_tokens) > 0;
}

void EngineProgress::note_progress(int64_t now_ms, const Vitals& vitals) {
  const int64_t pause_ms = stall_ms(now_ms);
  // What ended a wedge was no usual pause.
  if (pause_ms > options_.look_interval_ms && judgement_.state != EngineState::kWedged) {
    std::erase_if(pauses_, [&](const Pause& pause) {
      return now_ms - pause.ended_ms > options_.remember_ms;
    });
    if (pauses_.size() == kMaxPauses) {
      pauses_.erase(std::ranges::min_element(pauses_, {}, &Pause::length_ms));
    }
    pauses_.push_back({now_ms, pause_ms});
  }
  progress_ms_ = now_ms;
  running_at_progress_ = vitals.running.value_or(0);
  warm_ = true;
}

void EngineProgress::note_load(int64_t now_ms) {
  in_flight_.reset();
  if (newest_->running || newest_->waiting) {
    const double ours = canary_open_ ? 1 : 0;
    in_flight_ = std::max(0.0, newest_->running.value_or(0) + newest_->waiting.value_or(0) - ours);
  }
  if (in_flight_.value_or(0) == 0) {
    busy_since_ms_.reset();
  } else if (!busy_since_ms_) {
    busy_since_ms_ = now_ms;
  }
}

void EngineProgress::word(EngineWord word) { word_ = word; }

void EngineProgress::host(const HostEvidence& evidence) { host_ = evidence; }

void EngineProgress::canary_done(int64_t now_ms, const CanaryResult& result) {
  CHECK(canary_open_);
  canary_open_ = false;
  canary_ended_ms_ = now_ms;
  canary_of_result_ms_ = canary_began_ms_;
  canary_ = result;
  nothing_to_ask_ = false;
  if (result.outcome == Outcome::kTokens) warm_ = true;
  if (result.outcome != Outcome::kNothing) {
    unanswered_since_ms_.reset();
  } else if (!unanswered_since_ms_) {
    unanswered_since_ms_ = canary_began_ms_;
  }
}

void EngineProgress::canary_left(int64_t now_ms) {
  CHECK(canary_open_);
  canary_open_ = false;
  canary_ended_ms_ = now_ms;
  nothing_to_ask_ = true;
  canary_.reset();
  unanswered_since_ms_.reset();
}

void EngineProgress::no_more_canaries() {
  nature_.canaries = false;
  canary_.reset();
  unanswered_since_ms_.reset();
}

bool EngineProgress::doubtful(int64_t now_ms) const {
  return stands_still(stall_ms(now_ms)) || silent_since_ms_ || unanswered_since_ms_;
}

std::optional<Canary> EngineProgress::canary_due(int64_t now_ms) {
  if (!nature_.canaries || canary_open_ || looks_refused_ > 0) return std::nullopt;
  if (word_ == EngineWord::kLoading || word_ == EngineWord::kDraining) return std::nullopt;
  if (!newest_ && !silent_since_ms_) return std::nullopt;
  const bool idle = in_flight_ && *in_flight_ == 0;
  int64_t every_ms = idle ? options_.idle_canary_ms : options_.busy_canary_ms;
  if (every_ms == 0) return std::nullopt;
  const int64_t stalled_ms = stall_ms(now_ms);
  const bool slow =
      canary_ && (canary_->outcome != Outcome::kTokens || canary_->took_ms >= options_.slow_ms);
  const bool doubtful = slow || stands_still(stalled_ms) || silent_since_ms_ ||
                        judgement_.state == EngineState::kWedged;
  if (doubtful) every_ms = std::min(every_ms, options_.look_interval_ms);
  if ((canary_ || nothing_to_ask_) && now_ms - canary_ended_ms_ < every_ms) return std::nullopt;
  canary_open_ = canary_seen_ = true;
  canary_began_ms_ = now_ms;
  began_idle_ = idle;
  unseen_tokens_ = unseen_requests_ = 1;
  return Canary{warm_ ? options_.canary_timeout_ms : options_.cold_canary_timeout_ms};
}

int64_t EngineProgress::stall_ms(int64_t now_ms) const {
  if (!busy_since_ms_) return 0;
  return now_ms - std::max(progress_ms_.value_or(*busy_since_ms_), *busy_since_ms_);
}

// Longer than the time from one look to the next, a late one allowed for.
bool EngineProgress::stands_still(int64_t stall_ms) const {
  return 2 * stall_ms >= 3 * options_.look_interval_ms;
}

int64_t EngineProgress::stall_limit_ms(int64_t now_ms) const {
  int64_t usual_ms = 0;
  for (const Pause& pause : pauses_) {
    if (now_ms - pause.ended_ms <= options_.remember_ms)
      usual_ms = std::max(usual_ms, pause.length_ms);
  }
  return std::clamp(2 * usual_ms, options_.stall_limit_ms,
                    std::max(options_.stall_limit_ms, options_.hard_limit_ms));
}

// A token counts for the time when it was asked for, its lack for the time until it was given up.
bool EngineProgress::canary_said_since(Outcome outcome, int64_t since_ms) const {
  if (!canary_ || canary_->outcome != outcome) return false;
  return (outcome == Outcome::kTokens ? canary_of_result_ms_ : canary_ended_ms_) >= since_ms;
}

// A request that was let in since the last progress may be reading its prompt, which shows in the
// use of the cache alone.
bool EngineProgress::may_read_prompts() const {
  return !newest_->running || *newest_->running > running_at_progress_ + (canary_open_ ? 1 : 0);
}

// Requests were given tokens as long as they were in flight, and none gets any more.
bool EngineProgress::given_tokens_stand_still() const {
  return nature_.live_tokens && newest_->generated_tokens && progress_ms_ &&
         *progress_ms_ >= *busy_since_ms_ && (newest_->kv_usage || !may_read_prompts());
}

bool EngineProgress::computes() const { return host_.cpu_cores.value_or(0) >= kComputes; }

// What a GPU did before the engine stood still says nothing of now.
bool EngineProgress::works_unseen(int64_t since_ms) const {
  if (host_.gpu_at_ms >= since_ms && host_.gpu_power_ratio.value_or(0) >= kWorkingPower)
    return true;
  return nature_.computes_on_cpu && computes();
}

bool EngineProgress::spins(int64_t since_ms) const {
  return host_.gpu_at_ms >= since_ms && host_.gpu_utilization_ratio && host_.gpu_power_ratio &&
         *host_.gpu_utilization_ratio >= kSpinningUse && *host_.gpu_power_ratio <= kSpinningPower;
}

const EngineJudgement& EngineProgress::judge(int64_t now_ms) {
  Verdict next = verdict(now_ms);
  if (still_wedged(next)) {
    if (next.state != EngineState::kWedged && !judgement_.evidence.empty()) return judgement_;
    next.state = EngineState::kWedged;
  }
  if (next.state == EngineState::kWedged || next.state == EngineState::kDegraded) {
    add_host_evidence(next.evidence);
  }
  if (next.state != judgement_.state) judgement_.since_ms = now_ms;
  judgement_.state = next.state;
  judgement_.evidence = std::move(next.evidence);
  return judgement_;
}

bool EngineProgress::still_wedged(const Verdict& next) const {
  if (judgement_.state != EngineState::kWedged) return false;
  if (next.state == EngineState::kDown || next.state == EngineState::kLoading) return false;
  if (progress_ms_ && *progress_ms_ >= judgement_.since_ms) return false;
  return !canary_said_since(Outcome::kTokens, judgement_.since_ms);
}

EngineProgress::Verdict EngineProgress::verdict(int64_t now_ms) const {
  if (looks_refused_ >= kRefusedLooks) return {EngineState::kDown, {"refuses connections"}};
  if (word_ == EngineWord::kDead)
    return {EngineState::kDown, {"says itself that its engine is dead"}};
  if (word_ == EngineWord::kLoading)
    return {EngineState::kLoading, {"says that it is not ready yet"}};
  if (silent_since_ms_) return silent_verdict(now_ms);
  if (!newest_) return {EngineState::kUnknown, {"nothing is known yet"}};
  const int64_t stalled_ms = stall_ms(now_ms);
  if (stands_still(stalled_ms)) return stall_verdict(now_ms, stalled_ms);
  if (word_ == EngineWord::kDraining)
    return {EngineState::kDraining, {"says that it takes no more requests"}};
  return canary_verdict(now_ms);
}

EngineProgress::Verdict EngineProgress::silent_verdict(int64_t now_ms) const {
  const int64_t silent_ms = now_ms - *silent_since_ms_;
  const std::string told =
      fmt::format("takes connections and answers nothing for {}", seconds(silent_ms));
  if (canary_said_since(Outcome::kTokens, *silent_since_ms_)) {
    return {EngineState::kDegraded,
            {fmt::format("its metrics have not been answered for {}, requests are",
                         seconds(silent_ms))}};
  }
  int64_t limit_ms = options_.hard_limit_ms;
  if (host_.stopped_pid) {
    limit_ms = options_.look_interval_ms;
  } else if (host_.cpu_cores && !computes()) {
    limit_ms = options_.silent_limit_ms;
  }
  if (silent_ms >= limit_ms) return {EngineState::kWedged, {told}};
  return {EngineState::kDegraded, {told}};
}

EngineProgress::Verdict EngineProgress::stall_verdict(int64_t now_ms, int64_t stall_ms) const {
  const int64_t limit_ms = stall_limit_ms(now_ms);
  const int64_t began_ms = now_ms - stall_ms;
  const bool answered = canary_said_since(Outcome::kTokens, began_ms);
  const bool unanswered = canary_said_since(Outcome::kNothing, began_ms);
  const std::string told = fmt::format("{:.0f} in flight and no progress for {}",
                                       in_flight_.value_or(0), seconds(stall_ms));
  const auto say = [&](EngineState state, std::string more) {
    std::vector<std::string> evidence = {told};
    if (!more.empty()) evidence.push_back(std::move(more));
    return Verdict{state, std::move(evidence)};
  };
  if (host_.stopped_pid && 2 * stall_ms >= limit_ms) return say(EngineState::kWedged, "");
  if (stall_ms < limit_ms) {
    if (2 * stall_ms < limit_ms) return {EngineState::kServing, {}};
    return say(EngineState::kDegraded, fmt::format("judged after {}", seconds(limit_ms)));
  }
  if (spins(began_ms) && !answered) return say(EngineState::kWedged, "");
  if (works_unseen(began_ms) && stall_ms < options_.hard_limit_ms) {
    return say(EngineState::kDegraded, "but it works");
  }
  const bool twice = stall_ms >= 2 * limit_ms;
  if (unanswered) {
    const bool wedged = !may_read_prompts() || twice;
    return say(wedged ? EngineState::kWedged : EngineState::kDegraded,
               fmt::format("a request for one token got none in {}", seconds(canary_->took_ms)));
  }
  if (answered) {
    if (!nature_.live_tokens) return {EngineState::kServing, {}};
    const bool wedged = given_tokens_stand_still() || twice;
    return say(wedged ? EngineState::kWedged : EngineState::kDegraded,
               "short requests are answered");
  }
  const bool wedged = nature_.canaries ? given_tokens_stand_still() && twice
                                       : nature_.live_tokens && stall_ms >= options_.hard_limit_ms;
  return say(wedged ? EngineState::kWedged : EngineState::kDegraded, "");
}

// Nothing stands still that is known of: canaries tell the rest.
EngineProgress::Verdict EngineProgress::canary_verdict(int64_t now_ms) const {
  const bool idle = in_flight_ && *in_flight_ == 0;
  const EngineState well = idle ? EngineState::kIdle : EngineState::kServing;
  if (word_ == EngineWord::kSilent)
    return {EngineState::kDegraded, {"its health endpoint does not answer"}};
  if (!canary_) {
    if (!nature_.canaries || nothing_to_ask_ || busy_since_ms_) return {well, {}};
    return {EngineState::kUnknown, {"no request for a token has been answered yet"}};
  }
  switch (canary_->outcome) {
    case Outcome::kTokens:
      if (canary_->took_ms < options_.slow_ms) return {well, {}};
      return {EngineState::kDegraded,
              {fmt::format("a first token took {}", seconds(canary_->took_ms))}};
    case Outcome::kOverloaded:
      return {EngineState::kDegraded, {"refuses requests as overloaded"}};
    case Outcome::kFailed:
    case Outcome::kRefused:
      return {EngineState::kDegraded,
              {fmt::format("a request for one token failed: {}", canary_->detail)}};
    case Outcome::kNothing:
      break;
  }
  const std::string told =
      fmt::format("a request for one token got none in {}", seconds(canary_->took_ms));
  if (progress_ms_ && *progress_ms_ >= canary_of_result_ms_)
    return {EngineState::kDegraded, {told}};
  if (idle && began_idle_) return {EngineState::kWedged, {told + ", with nothing else in flight"}};
  // Not known whether others are served meanwhile: an engine of one request at a time looks so.
  const bool wedged = !in_flight_ && !works_unseen(canary_of_result_ms_) &&
                      now_ms - unanswered_since_ms_.value_or(now_ms) >= options_.hard_limit_ms;
  return {wedged ? EngineState::kWedged : EngineState::kDegraded, {told}};
}

void EngineProgress::add_host_evidence(std::vector<std::string>& evidence) const {
  if (host_.stopped_pid)
    evidence.push_back(fmt::format("process {} is stopped by a signal", *host_.stopped_pid));
  if (host_.cpu_cores)
    evidence.push_back(fmt::format("its processes use {:.2f} cores", *host_.cpu_cores));
  if (host_.gpu_utilization_ratio && host_.gpu_power_ratio) {
    evidence.push_back(fmt::format("its GPU is busy {:.0f} % of the time at {:.0f} % of its power",
                                   100 * *host_.gpu_utilization_ratio,
                                   100 * *host_.gpu_power_ratio));
  }
}

}  // namespace binnacle::watch::health
