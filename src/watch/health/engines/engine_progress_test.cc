#include "watch/health/engines/engine_progress.h"

#include <gmock/gmock.h>

#include <functional>

namespace binnacle::watch::health {
namespace {

using Outcome = CanaryResult::Outcome;
using ::testing::Contains;
using ::testing::HasSubstr;

// An engine on simulated time: looked at as its watcher would, each 100 ms of it a step.
class SimulatedEngine {
 public:
  explicit SimulatedEngine(EngineNature nature = {}, ProgressOptions options = {})
      : options_(options), live_(nature.live_tokens), progress_(options, nature) {}

  double running = 0, waiting = 0;
  double tokens_per_s = 100;  // of all in flight together
  bool produces = true;
  bool answers_canaries = true;
  int64_t canary_ms = 50;
  Vitals::Answer answer = Vitals::Answer::kGood;
  EngineWord word = EngineWord::kReady;
  HostEvidence host;
  double kv_usage = 0.1;
  std::function<void(SimulatedEngine&)> each_step;
  size_t canaries = 0;

  EngineState run(int64_t ms) {
    for (const int64_t until_ms = now_ms_ + ms; now_ms_ < until_ms;) step();
    return state();
  }
  // Milliseconds until it is in `state`; -1: not within `limit_ms`.
  int64_t time_to(EngineState wanted, int64_t limit_ms = 60'000) {
    const int64_t began_ms = now_ms_;
    while (now_ms_ - began_ms < limit_ms) {
      step();
      if (state() == wanted) return now_ms_ - began_ms;
    }
    return -1;
  }
  bool ever(EngineState wanted) const { return seen_[static_cast<size_t>(wanted)]; }
  EngineState state() { return progress_.judge(now_ms_).state; }
  std::vector<std::string> evidence() { return progress_.judge(now_ms_).evidence; }

 private:
  void step() {
    now_ms_ += 100;
    if (each_step) each_step(*this);
    if (produces && running > 0) {
      (live_ ? generated_ : unfinished_) += tokens_per_s / 10;
    }
    canary_step();
    if (now_ms_ % options_.look_interval_ms == 0) {
      if (host.gpu_power_ratio) host.gpu_at_ms = now_ms_;
      progress_.host(host);
      progress_.word(word);
      progress_.look(now_ms_, vitals());
    }
    seen_[static_cast<size_t>(state())] = true;
  }
  Vitals vitals() const {
    Vitals vitals;
    vitals.answer = answer;
    vitals.generated_tokens = generated_;
    vitals.finished = finished_;
    vitals.running = running + (canary_ ? 1 : 0);
    vitals.waiting = waiting;
    vitals.kv_usage = kv_usage;
    return vitals;
  }
  void canary_step() {
    if (const auto due = progress_.canary_due(now_ms_)) {
      canary_ = due;
      began_ms_ = now_ms_;
      ++canaries;
    }
    if (!canary_) return;
    CanaryResult result{.took_ms = now_ms_ - began_ms_};
    if (answers_canaries && now_ms_ - began_ms_ >= canary_ms) {
      generated_ += result.tokens = 1;
      finished_ += 1;
    } else if (now_ms_ - began_ms_ >= canary_->timeout_ms) {
      result.outcome = Outcome::kNothing;
    } else {
      return;
    }
    canary_.reset();
    progress_.canary_done(now_ms_, result);
  }

  const ProgressOptions options_;
  const bool live_;
  EngineProgress progress_;
  int64_t now_ms_ = 1'000'000;
  double generated_ = 1'000, unfinished_ = 0, finished_ = 10;
  std::optional<Canary> canary_;
  int64_t began_ms_ = 0;
  std::array<bool, 8> seen_{};
};

TEST(EngineProgress, AnEngineThatWorksIsServingAndIdleInTurn) {
  SimulatedEngine engine;
  EXPECT_EQ(engine.run(3'000), EngineState::kIdle);
  engine.running = 8;
  EXPECT_EQ(engine.run(600'000), EngineState::kServing);
  engine.running = 0;
  EXPECT_EQ(engine.run(10'000), EngineState::kIdle);
  EXPECT_FALSE(engine.ever(EngineState::kWedged) || engine.ever(EngineState::kDegraded));
}

TEST(EngineProgress, ASchedulerThatStopsUnderLoadIsWedgedWithinTenSeconds) {
  for (int64_t phase = 0; phase < 4'000; phase += 100) {
    SimulatedEngine engine;
    engine.running = 8;
    engine.run(60'000 + phase);
    engine.produces = engine.answers_canaries = false;
    const int64_t took_ms = engine.time_to(EngineState::kWedged);
    EXPECT_GT(took_ms, 0);
    EXPECT_LE(took_ms, 10'000) << "stopped " << phase << " ms after a look";
    EXPECT_THAT(engine.evidence(), Contains(HasSubstr("8 in flight and no progress for")));
  }
}

TEST(EngineProgress, OneThatStopsWhileIdleIsWedgedWithinTenSeconds) {
  for (int64_t phase = 0; phase < 6'000; phase += 100) {
    SimulatedEngine engine;
    engine.run(60'000 + phase);
    engine.produces = engine.answers_canaries = false;
    const int64_t took_ms = engine.time_to(EngineState::kWedged);
    EXPECT_GT(took_ms, 0);
    EXPECT_LE(took_ms, 10'000) << "stopped " << phase << " ms late";
    EXPECT_THAT(engine.evidence(), Contains(HasSubstr("with nothing else in flight")));
  }
}

TEST(EngineProgress, OneThatAnswersShortRequestsAndStallsLongOnesIsWedged) {
  SimulatedEngine engine;
  engine.running = 4;
  engine.run(60'000);
  engine.produces = false;
  const int64_t took_ms = engine.time_to(EngineState::kWedged);
  EXPECT_GT(took_ms, 0);
  EXPECT_LE(took_ms, 10'000);
  EXPECT_THAT(engine.evidence(), Contains("short requests are answered"));
  EXPECT_EQ(engine.run(60'000), EngineState::kWedged) << "canaries are no progress of the others";
  engine.produces = true;
  EXPECT_EQ(engine.run(5'000), EngineState::kServing);
}

TEST(EngineProgress, AStoppedProcessIsNamedAndJudgedSooner) {
  SimulatedEngine engine;
  engine.running = 4;
  engine.run(60'000);
  engine.produces = engine.answers_canaries = false;
  engine.host.stopped_pid = 4711;
  const int64_t took_ms = engine.time_to(EngineState::kWedged);
  EXPECT_LE(took_ms, 7'000);
  EXPECT_THAT(engine.evidence(), Contains("process 4711 is stopped by a signal"));
}

TEST(EngineProgress, ABurstOnASlowEngineIsDegradedAtMost) {
  SimulatedEngine engine;
  engine.run(10'000);
  engine.running = 256;
  engine.waiting = 1'024;
  engine.canary_ms = 25'000;  // behind all others
  engine.each_step = [](SimulatedEngine& e) {
    if (e.waiting > 0) e.waiting -= 2;
  };
  engine.run(120'000);
  EXPECT_FALSE(engine.ever(EngineState::kWedged));
  EXPECT_TRUE(engine.ever(EngineState::kDegraded));
}

TEST(EngineProgress, ABurstOnAnEngineThatCountsAtTheEndIsNotWedgedWhileItsCacheMoves) {
  SimulatedEngine engine({.live_tokens = false});
  engine.run(10'000);
  engine.running = 256;
  engine.waiting = 1'024;
  engine.answers_canaries = false;
  engine.each_step = [](SimulatedEngine& e) { e.kv_usage += 0.0005; };
  engine.run(120'000);
  EXPECT_FALSE(engine.ever(EngineState::kWedged));
}

TEST(EngineProgress, OneLongAnswerOnAnEngineThatCountsAtTheEndIsServing) {
  SimulatedEngine engine({.live_tokens = false});
  engine.run(10'000);
  engine.running = 1;
  EXPECT_EQ(engine.run(300'000), EngineState::kServing);
  EXPECT_FALSE(engine.ever(EngineState::kWedged));
  engine.answers_canaries = false;
  EXPECT_GT(engine.time_to(EngineState::kWedged), 0);
}

TEST(EngineProgress, PausesThatEndByThemselvesSetTheLimitOfASlowEngine) {
  SimulatedEngine engine({.computes_on_cpu = true});
  engine.running = 2;
  engine.run(60'000);
  engine.host.cpu_cores = 3.5;
  int64_t step = 0;
  // A CPU engine that reads long prompts: 12 s in 15 without a token, and no canary gets through.
  engine.each_step = [&step](SimulatedEngine& e) {
    e.produces = e.answers_canaries = ++step % 150 >= 120;
  };
  engine.run(300'000);
  EXPECT_FALSE(engine.ever(EngineState::kWedged));
  engine.each_step = nullptr;
  engine.produces = engine.answers_canaries = false;
  const int64_t took_ms = engine.time_to(EngineState::kWedged);
  EXPECT_GT(took_ms, 12'000);
  EXPECT_LE(took_ms, 35'000);
}

TEST(EngineProgress, AGpuThatDrawsPowerHoldsTheJudgementAndOneThatSpinsDoesNot) {
  SimulatedEngine working;
  working.running = 1;
  working.run(60'000);
  working.produces = working.answers_canaries = false;
  working.host.gpu_utilization_ratio = 0.97;
  working.host.gpu_power_ratio = 0.8;
  EXPECT_EQ(working.run(15'000), EngineState::kDegraded);
  EXPECT_EQ(working.run(20'000), EngineState::kWedged);

  SimulatedEngine spinning;
  spinning.running = 1;
  spinning.run(60'000);
  spinning.produces = spinning.answers_canaries = false;
  spinning.host.gpu_utilization_ratio = 0.97;
  spinning.host.gpu_power_ratio = 0.12;
  EXPECT_EQ(spinning.run(10'000), EngineState::kWedged);
  EXPECT_THAT(spinning.evidence(),
              Contains("its GPU is busy 97 % of the time at 12 % of its power"));
}

TEST(EngineProgress, AFrontThatAnswersNothingIsWedgedUnlessItsProcessesCompute) {
  SimulatedEngine silent;
  silent.running = 4;
  silent.host.cpu_cores = 0.9;
  silent.run(60'000);
  silent.answers_canaries = false;
  silent.answer = Vitals::Answer::kSilent;
  EXPECT_EQ(silent.run(20'000), EngineState::kDegraded) << "a front that is busy with a burst";
  silent.host.cpu_cores = 0.0;
  EXPECT_LE(silent.time_to(EngineState::kWedged), 2'000);
  silent.answer = Vitals::Answer::kGood;
  silent.answers_canaries = true;
  EXPECT_EQ(silent.run(10'000), EngineState::kServing)
      << ::testing::PrintToString(silent.evidence());
}

TEST(EngineProgress, RefusedLoadingDeadAndDrainingAreNotWedged) {
  SimulatedEngine engine;
  engine.run(10'000);
  engine.answer = Vitals::Answer::kRefused;
  EXPECT_EQ(engine.run(6'000), EngineState::kDown);
  engine.answer = Vitals::Answer::kGood;
  engine.word = EngineWord::kLoading;
  engine.answers_canaries = false;
  EXPECT_EQ(engine.run(60'000), EngineState::kLoading);
  engine.word = EngineWord::kReady;
  engine.answers_canaries = true;
  EXPECT_EQ(engine.run(10'000), EngineState::kIdle);
  engine.word = EngineWord::kDead;
  EXPECT_EQ(engine.run(3'000), EngineState::kDown);
  engine.word = EngineWord::kDraining;
  EXPECT_EQ(engine.run(3'000), EngineState::kDraining);
  EXPECT_FALSE(engine.ever(EngineState::kWedged));
}

TEST(EngineProgress, CanariesAreRareAndFewestUnderLoad) {
  SimulatedEngine idle;
  idle.run(300'000);
  EXPECT_LE(idle.canaries, 61u);
  SimulatedEngine busy;
  busy.running = 3;
  busy.run(300'000);
  EXPECT_LE(busy.canaries, 21u);
  SimulatedEngine none({.canaries = false});
  EXPECT_EQ(none.run(10'000), EngineState::kIdle);
  EXPECT_EQ(none.canaries, 0u);
}

}  // namespace
}  // namespace binnacle::watch::health
