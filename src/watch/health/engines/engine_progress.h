// Whether an inference engine does its work, judged by progress and not by what its endpoints say:
// tokens and requests counted against requests in flight, one-token canaries, what the machine
// shows of its processes and GPUs. Pure: whoever drives it looks, asks and reports with a monotonic
// time. One engine instance; one thread.
//
// The rules, each with its limit in ProgressOptions:
//   - Requests in flight and nothing moves: after `stall_limit_ms` it is wedged, if a canary that
//     began since brought no token either, or if requests that had been given tokens stand still
//     although canaries are answered. A slow engine sets its own limit: twice the longest pause
//     that ended by itself lately.
//   - Nothing in flight: a canary now and then; one without a token in time, with still nothing
//     else in flight, is a wedge.
//   - It takes connections and answers nothing: a wedge after `silent_limit_ms` when its processes
//     do nothing either, else after `hard_limit_ms`.
//   - Work without visible progress (a GPU that draws power, a CPU engine that computes) holds the
//     judgement at degraded up to `hard_limit_ms`; a GPU that is busy and draws little power spins.
//   - It refuses connections: down, not wedged. It says that it loads or drains: that.
// A wedge ends with progress, not with a good answer of an endpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace binnacle::watch::health {

enum class EngineState : uint8_t {
  kUnknown,   // nothing is known yet
  kIdle,      // nothing in flight, canaries are answered
  kServing,   // requests in flight move
  kLoading,   // says that it is not ready yet
  kDraining,  // says that it takes no more
  kDegraded,  // works slowly, or cannot be judged well
  kWedged,    // holds requests or connections and does nothing
  kDown,      // refuses connections, or says itself that its engine is dead
};
inline constexpr size_t kEngineStates = 8;
std::string_view engine_state_name(EngineState state);  // "wedged"

struct ProgressOptions {
  int64_t look_interval_ms = 2'000;
  int64_t stall_limit_ms = 6'000;
  int64_t hard_limit_ms = 30'000;
  int64_t silent_limit_ms = 6'000;
  int64_t idle_canary_ms = 5'000;   // from the end of one to the next; 0: none
  int64_t busy_canary_ms = 15'000;  // 0: none
  int64_t canary_timeout_ms = 4'000;
  int64_t cold_canary_timeout_ms = 30'000;  // until the first token ever
  int64_t slow_ms = 2'000;                  // a first token that takes longer is slow
  int64_t remember_ms = 300'000;            // how long a pause counts as usual for this engine
};

// What is known of the kind of engine.
struct EngineNature {
  // Its token counters move with each token; else when a request ends.
  bool live_tokens = true;
  bool computes_on_cpu = false;  // so that busy processes are work, not spinning
  bool canaries = true;          // it may be asked for a token
};

// One look at the engine's numbers.
struct Vitals {
  enum class Answer : uint8_t { kGood, kSilent, kRefused, kUseless };
  Answer answer = Answer::kGood;
  std::optional<double> generated_tokens;
  std::optional<double> prompt_tokens;
  std::optional<double> finished;  // requests that ended well
  std::optional<double> running;
  std::optional<double> waiting;
  std::optional<double> kv_usage;
};

// What the engine's own endpoint says, read for what it really means.
enum class EngineWord : uint8_t { kReady, kLoading, kDraining, kOverloaded, kDead, kSilent, kNone };

struct Canary {
  int64_t timeout_ms = 0;
};

struct CanaryResult {
  enum class Outcome : uint8_t {
    kTokens,      // at least one
    kNothing,     // the request was taken, no token came in time
    kOverloaded,  // 429, or 503 that says so
    kFailed,      // an error was answered
    kRefused,     // no connection
  };
  Outcome outcome = Outcome::kTokens;
  int64_t took_ms = 0;  // until the first token, or until it was given up
  double tokens = 0;
  std::string detail;  // of a failure
};

// What the machine shows of the engine's processes and GPUs since the last time.
struct HostEvidence {
  std::optional<int64_t> stopped_pid;  // one of its processes is stopped by a signal
  std::optional<double> cpu_cores;     // that its processes used
  std::optional<double> gpu_utilization_ratio;
  std::optional<double> gpu_power_ratio;  // of the limit
  int64_t gpu_at_ms = 0;                  // when both were so
};

struct EngineJudgement {
  EngineState state = EngineState::kUnknown;
  int64_t since_ms = 0;               // monotonic
  std::vector<std::string> evidence;  // for people; the first decided
};

class EngineProgress {
 public:
  EngineProgress(const ProgressOptions& options, EngineNature nature);

  void look(int64_t now_ms, const Vitals& vitals);
  void word(EngineWord word);
  void host(const HostEvidence& evidence);
  void canary_done(int64_t now_ms, const CanaryResult& result);

  // Judges anew; call it after each report and every second or so.
  const EngineJudgement& judge(int64_t now_ms);
  // A canary that is to begin now; it is then under way until canary_done().
  std::optional<Canary> canary_due(int64_t now_ms);

  // It was not sent after all: nothing to ask for.
  void canary_left(int64_t now_ms);
  // The engine will not answer any.
  void no_more_canaries();

  // Whether it is worth looking at its processes.
  bool doubtful(int64_t now_ms) const;
  // Requests in flight at the last look, our own canary left out; nullopt: not known.
  std::optional<double> in_flight() const { return in_flight_; }

 private:
  struct Verdict {
    EngineState state;
    std::vector<std::string> evidence;
  };
  struct Pause {
    int64_t ended_ms = 0;
    int64_t length_ms = 0;
  };

  bool progressed(const Vitals& vitals);
  void note_progress(int64_t now_ms, const Vitals& vitals);
  void note_load(int64_t now_ms);
  int64_t stall_ms(int64_t now_ms) const;
  bool stands_still(int64_t stall_ms) const;
  int64_t stall_limit_ms(int64_t now_ms) const;
  bool canary_said_since(CanaryResult::Outcome outcome, int64_t since_ms) const;
  bool may_read_prompts() const;
  bool given_tokens_stand_still() const;
  bool works_unseen(int64_t since_ms) const;
  bool computes() const;
  bool spins(int64_t since_ms) const;

  Verdict verdict(int64_t now_ms) const;
  Verdict silent_verdict(int64_t now_ms) const;
  Verdict stall_verdict(int64_t now_ms, int64_t stall_ms) const;
  Verdict canary_verdict(int64_t now_ms) const;
  bool still_wedged(const Verdict& next) const;
  void add_host_evidence(std::vector<std::string>& evidence) const;

  const ProgressOptions options_;
  EngineNature nature_;

  // Of looks.
  std::optional<Vitals> newest_;     // the last good one
  std::optional<double> in_flight_;  // then
  int looks_refused_ = 0;            // in a row
  std::optional<int64_t> silent_since_ms_;
  std::optional<int64_t> busy_since_ms_;  // something is in flight since
  std::optional<int64_t> progress_ms_;    // the last time that something moved
  double running_at_progress_ = 0;
  std::vector<Pause> pauses_;  // of late, that ended by themselves

  // Of canaries.
  bool canary_open_ = false;
  bool canary_seen_ = false;  // one was under way at some time since the last good look
  double unseen_tokens_ = 0;  // of canaries, that the counters may show yet
  double unseen_requests_ = 0;
  bool warm_ = false;  // it has made tokens
  int64_t canary_began_ms_ = 0;
  bool began_idle_ = false;
  bool nothing_to_ask_ = false;  // when the last one was due
  int64_t canary_ended_ms_ = 0;
  std::optional<CanaryResult> canary_;          // the last that ended
  int64_t canary_of_result_ms_ = 0;             // when that one began
  std::optional<int64_t> unanswered_since_ms_;  // canaries in a row got no token

  EngineWord word_ = EngineWord::kNone;
  HostEvidence host_;
  EngineJudgement judgement_;
};

}  // namespace binnacle::watch::health
