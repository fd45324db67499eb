// The detector's rules one by one; what they make together is in simulation_test.cc.
#include "watch/heartbeat/detector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

namespace binnacle::watch::heartbeat {
namespace {

using model::NodeState;

// Nodes 0 .. 3 beat every 250 ms unless told otherwise; what the detector asks is kept.
class DetectorTest : public testing::Test {
 protected:
  void SetUp() override {
    for (NodeRef node = 0; node < kNodes; ++node) connect(node);
    run(5'000);
    changes_.clear();
  }

  void connect(NodeRef node, bool probed = true, bool echoed = true) {
    numbers_[node] = 0;
    beats_[node] = true;
    step(event::Connected{node, probed, echoed});
  }
  void step(const DetectorEvent& event) {
    for (const DetectorAction& action : detector_.step(now_ms_, event)) {
      if (const auto* probe = std::get_if<action::Probe>(&action)) probes_.push_back(*probe);
      if (const auto* echo = std::get_if<action::Echo>(&action)) echoes_.push_back(*echo);
      if (const auto* stop = std::get_if<action::StopEcho>(&action)) stopped_.push_back(stop->id);
      if (const auto* change = std::get_if<action::Changed>(&action)) changes_.push_back(*change);
      if (std::holds_alternative<action::Flapping>(action)) ++flapping_;
    }
  }
  // Beats and ticks for so long.
  void run(int64_t ms) {
    for (const int64_t end_ms = now_ms_ + ms; now_ms_ < end_ms;) {
      now_ms_ += Detector::kTickMs;
      for (NodeRef node = 0; node < kNodes; ++node) {
        if (beats_[node] && now_ms_ % 250 == 0) step(event::Beat{node, ++numbers_[node]});
      }
      step(event::Tick{now_ms_, 0});
    }
  }
  void silence(NodeRef node) { beats_[node] = false; }
  void end(NodeRef node, event::End how) {
    silence(node);
    step(event::Ended{node, how});
  }
  // All that were asked by echo have sent what they should, and heard nothing.
  void nothing_answers() {
    for (const action::Echo& echo : std::exchange(echoes_, {})) {
      step(event::EchoReport{echo.id, 21, 0, true});
    }
  }
  void answer_probes(ProbeOutcome outcome) {
    for (const action::Probe& probe : std::exchange(probes_, {})) {
      step(event::ProbeReply{probe.id, outcome});
    }
  }
  NodeState state(NodeRef node) const { return detector_.state(node); }

  static constexpr NodeRef kNodes = 4;
  DetectorOptions options_;
  Detector detector_{options_};
  int64_t now_ms_ = 100'000;
  bool beats_[kNodes] = {};
  uint64_t numbers_[kNodes] = {};
  std::vector<action::Probe> probes_;
  std::vector<action::Echo> echoes_;
  std::vector<uint64_t> stopped_;
  std::vector<action::Changed> changes_;
  int flapping_ = 0;
};

TEST_F(DetectorTest, SilenceOnlySuspectsAndAsksThreePeersOneSpareAndTheServer) {
  silence(0);
  run(500);
  EXPECT_EQ(state(0), NodeState::kUp);
  run(200);
  EXPECT_EQ(state(0), NodeState::kSuspect);
  EXPECT_EQ(changes_.back().evidence.cause, Cause::kSilent);
  EXPECT_GE(changes_.back().evidence.phi, 8);
  ASSERT_EQ(echoes_.size(), 4u);  // there are only three peers
  for (const action::Echo& echo : echoes_) {
    EXPECT_EQ(echo.node, 0u);
    EXPECT_NE(echo.via, 0u);
    EXPECT_EQ(echo.interval_ms, 100);
  }
  run(9'000);
  EXPECT_EQ(state(0), NodeState::kSuspect);  // nobody has told anything
}

TEST_F(DetectorTest, UnansweredEchoesMakeItDownInTime) {
  silence(0);
  run(700);
  run(2'050);
  EXPECT_EQ(state(0), NodeState::kSuspect);
  nothing_answers();
  run(100);
  ASSERT_EQ(state(0), NodeState::kDown);
  const Evidence& why = changes_.back().evidence;
  EXPECT_EQ(why.cause, Cause::kUnanswered);
  EXPECT_EQ(why.confirmed_by.size(), 4u);
  EXPECT_EQ(why.echoes_sent, 84u);
  EXPECT_LE(why.silent_ms, 3'000);
}

TEST_F(DetectorTest, OneAnswerIsLife) {
  silence(0);
  run(700);
  step(event::EchoReport{echoes_[2].id, 3, 1, false});
  EXPECT_EQ(stopped_.size(), 4u);  // the round is over
  nothing_answers();               // of the old round: without effect
  run(2'000);
  EXPECT_EQ(state(0), NodeState::kSuspect);
  EXPECT_EQ(echoes_.size(), 4u);  // the next round
  step(event::Beat{0, ++numbers_[0]});
  EXPECT_EQ(state(0), NodeState::kUp);
  EXPECT_EQ(detector_.counts().false_alarms, 1u);
}

TEST_F(DetectorTest, ConfirmersThatDidNotSendWhatTheyShouldDoNotCount) {
  silence(0);
  run(700);
  const std::vector<action::Echo> asked = std::exchange(echoes_, {});
  for (const action::Echo& echo : asked) {
    step(event::EchoReport{echo.id, echo.via == kServer ? 21u : 10u, 0, true});
  }
  run(2'200);
  EXPECT_EQ(state(0), NodeState::kSuspect);
}

TEST_F(DetectorTest, ASilentConfirmerIsReplacedWhereThereIsAnother) {
  connect(1, true, false);  // it sends no echoes
  silence(0);
  run(700);
  ASSERT_EQ(echoes_.size(), 3u);
  silence(2);
  connect(1);
  beats_[1] = true;
  run(700);
  const auto asked = std::ranges::find(echoes_, NodeRef{1}, &action::Echo::via);
  ASSERT_NE(asked, echoes_.end());
  EXPECT_EQ(asked->node, 0u);
  EXPECT_LT(asked->duration_ms, options_.echo_span_ms);
}

TEST_F(DetectorTest, WhoAnswersButNeverBeatsIsDownInTheEnd) {
  silence(0);
  for (int i = 0; i < 300; ++i) {
    run(100);
    for (const action::Echo& echo : std::exchange(echoes_, {})) {
      step(event::EchoReport{echo.id, 1, 1, false});
    }
  }
  EXPECT_EQ(state(0), NodeState::kSuspect);
  for (int i = 0; i < 10; ++i) {
    run(100);
    for (const action::Echo& echo : std::exchange(echoes_, {})) {
      step(event::EchoReport{echo.id, 1, 1, false});
    }
  }
  EXPECT_EQ(state(0), NodeState::kDown);
  EXPECT_EQ(changes_.back().evidence.cause, Cause::kNoBeats);
}

TEST_F(DetectorTest, AClosedConnectionIsSuspectAtOnceAndARefusalIsDeath) {
  end(0, event::End::kClosed);
  EXPECT_EQ(state(0), NodeState::kSuspect);
  EXPECT_EQ(probes_.size(), 4u);
  answer_probes(ProbeOutcome::kRefused);
  EXPECT_EQ(state(0), NodeState::kDown);
  EXPECT_EQ(changes_.back().evidence.cause, Cause::kRefused);
  EXPECT_EQ(changes_.back().evidence.refused, 4u);
}

TEST_F(DetectorTest, OneWhoGetsThroughKnowsBetterThanThreeWhoAreRefused) {
  end(0, event::End::kClosed);
  const std::vector<action::Probe> asked = std::exchange(probes_, {});
  for (size_t i = 0; i < asked.size(); ++i) {
    step(event::ProbeReply{asked[i].id, i == 0 ? ProbeOutcome::kReached : ProbeOutcome::kRefused});
  }
  EXPECT_EQ(state(0), NodeState::kSuspect);
  run(350);
  EXPECT_EQ(probes_.size(), 4u);  // asked again
  connect(0);
  EXPECT_EQ(state(0), NodeState::kUp);
}

TEST_F(DetectorTest, TwoRefusalsDoNotWaitForTheSlow) {
  end(0, event::End::kClosed);
  step(event::ProbeReply{probes_[0].id, ProbeOutcome::kRefused});
  step(event::ProbeReply{probes_[1].id, ProbeOutcome::kRefused});
  EXPECT_EQ(state(0), NodeState::kSuspect);
  run(100);
  EXPECT_EQ(state(0), NodeState::kDown);
}

TEST_F(DetectorTest, WithoutAnAddressItHasTimeToComeBack) {
  connect(0, false, false);
  run(1'000);
  end(0, event::End::kClosed);
  EXPECT_TRUE(probes_.empty());
  run(850);
  EXPECT_EQ(state(0), NodeState::kSuspect);
  run(100);
  EXPECT_EQ(state(0), NodeState::kDown);
  EXPECT_EQ(changes_.back().evidence.cause, Cause::kNotBack);
}

TEST_F(DetectorTest, WithoutAPortItIsAskedByEchoesThatMustBeAnsweredSoon) {
  connect(0, false, true);
  ASSERT_EQ(echoes_.size(), 1u);  // whether they get through
  step(event::EchoReport{echoes_[0].id, 3, 3, true});
  echoes_.clear();
  run(1'000);
  end(0, event::End::kClosed);
  ASSERT_EQ(echoes_.size(), 4u);
  EXPECT_LE(echoes_[0].duration_ms, 200);
  run(150);
  EXPECT_EQ(state(0), NodeState::kSuspect);
  for (const action::Echo& echo : echoes_) step(event::EchoReport{echo.id, 7, 0, true});
  run(50);
  EXPECT_EQ(state(0), NodeState::kDown);
  EXPECT_EQ(changes_.back().evidence.cause, Cause::kClosedUnanswered);
}

TEST_F(DetectorTest, AProcessThatAnswersAfterItsConnectionWasClosedLives) {
  connect(0, false, true);
  step(event::EchoReport{echoes_[0].id, 3, 3, true});
  end(0, event::End::kClosed);
  for (int i = 0; i < 20; ++i) {
    run(100);
    for (const action::Echo& echo : std::exchange(echoes_, {})) {
      step(event::EchoReport{echo.id, 1, 1, false});
    }
  }
  EXPECT_EQ(state(0), NodeState::kSuspect);
}

TEST_F(DetectorTest, AMachineThatAnswersNoProbeIsAskedByEchoes) {
  end(0, event::End::kClosed);
  answer_probes(ProbeOutcome::kNoAnswer);
  EXPECT_EQ(state(0), NodeState::kSuspect);
  run(100);
  ASSERT_EQ(echoes_.size(), 4u);
  run(2'150);
  nothing_answers();
  run(600);
  EXPECT_EQ(state(0), NodeState::kDown);
}

TEST_F(DetectorTest, GoodbyeIsNoDeath) {
  end(0, event::End::kGoodbye);
  EXPECT_EQ(state(0), NodeState::kLeft);
  run(5'000);
  EXPECT_EQ(state(0), NodeState::kLeft);
  EXPECT_TRUE(probes_.empty());
  connect(0);
  EXPECT_EQ(state(0), NodeState::kUp);
}

TEST_F(DetectorTest, ReplayedBeatsAreNoLife) {
  const uint64_t newest = numbers_[0];
  silence(0);
  for (int i = 0; i < 8; ++i) {
    run(100);
    step(event::Beat{0, newest - 1});
  }
  EXPECT_EQ(state(0), NodeState::kSuspect);
  EXPECT_EQ(detector_.counts().replayed_beats, 8u);
}

TEST_F(DetectorTest, AfterAPauseOfTheServerSuspicionsStartOver) {
  silence(0);
  run(2'700);
  ASSERT_EQ(state(0), NodeState::kSuspect);
  now_ms_ += 3'000;
  step(event::Tick{now_ms_, 0});
  EXPECT_EQ(detector_.counts().doubts, 1u);
  nothing_answers();
  EXPECT_EQ(state(0), NodeState::kSuspect);
  for (NodeRef node = 1; node < kNodes; ++node) EXPECT_EQ(state(node), NodeState::kUp);
  run(250);
  EXPECT_TRUE(echoes_.empty());  // beats that wait come first
  run(100);
  EXPECT_EQ(echoes_.size(), 4u);
  run(2'150);
  nothing_answers();
  run(50);
  EXPECT_EQ(state(0), NodeState::kDown);
}

TEST_F(DetectorTest, AJumpOfTheWallClockIsDoubtToo) {
  step(event::Tick{now_ms_ + 3'600'000, 0});
  EXPECT_EQ(detector_.counts().doubts, 1u);
  step(event::Tick{now_ms_ + 3'600'000, 0});
  EXPECT_EQ(detector_.counts().doubts, 1u);
  step(event::Tick{now_ms_ + 3'600'000, 900});  // other loops are late
  EXPECT_EQ(detector_.counts().doubts, 2u);
}

TEST_F(DetectorTest, AServerThatHearsNobodyWaitsLonger) {
  for (NodeRef node = 0; node < kNodes; ++node) silence(node);
  for (int i = 0; i < 90; ++i) {
    run(100);
    // Its own echoes alone; peers do not tell.
    for (const action::Echo& echo : std::exchange(echoes_, {})) {
      if (echo.via == kServer) step(event::EchoReport{echo.id, 21, 0, true});
    }
  }
  for (NodeRef node = 0; node < kNodes; ++node) EXPECT_EQ(state(node), NodeState::kSuspect);
  run(2'500);
  for (NodeRef node = 0; node < kNodes; ++node) EXPECT_EQ(state(node), NodeState::kDown);
  EXPECT_EQ(changes_.back().evidence.cause, Cause::kUnconfirmed);
}

TEST_F(DetectorTest, TheOnlyNodeNeedsNobodyElse) {
  for (NodeRef node = 1; node < kNodes; ++node) end(node, event::End::kGoodbye);
  silence(0);
  run(700);
  ASSERT_EQ(echoes_.size(), 1u);
  run(2'050);
  nothing_answers();
  run(100);
  EXPECT_EQ(state(0), NodeState::kDown);
}

TEST_F(DetectorTest, EachDeathMakesTheReturnSlower) {
  const int64_t least_ms[] = {0, 1'000, 2'000, 4'000};
  for (const int64_t wait_ms : least_ms) {
    end(0, event::End::kClosed);
    answer_probes(ProbeOutcome::kRefused);
    ASSERT_EQ(state(0), NodeState::kDown);
    run(1'000);
    connect(0);
    const int64_t back_ms = now_ms_;
    EXPECT_EQ(state(0), NodeState::kDown);  // two beats at least
    while (state(0) == NodeState::kDown && now_ms_ - back_ms < 10'000) run(50);
    EXPECT_GE(now_ms_ - back_ms, std::max<int64_t>(wait_ms, 250));
    EXPECT_LE(now_ms_ - back_ms, wait_ms + 550);
  }
}

TEST_F(DetectorTest, TwentySuspicionsAreOneFlapping) {
  for (int i = 0; i < 20; ++i) {
    silence(0);
    run(700);
    step(event::EchoReport{echoes_.back().id, 1, 1, false});
    beats_[0] = true;
    run(1'000);
  }
  EXPECT_EQ(flapping_, 1);
  EXPECT_LE(std::ranges::count(changes_, false, &action::Changed::quiet), 7);
  EXPECT_EQ(changes_.size(), 40u);
}

TEST_F(DetectorTest, ADrainingNodeStaysSoThroughASuspicion) {
  step(event::Drain{0});
  EXPECT_EQ(state(0), NodeState::kDraining);
  silence(0);
  run(700);
  EXPECT_EQ(state(0), NodeState::kSuspect);
  beats_[0] = true;
  run(250);
  EXPECT_EQ(state(0), NodeState::kDraining);
}

TEST_F(DetectorTest, WhoIsForgottenIsUnknownAndMayBeSomebodyElse) {
  step(event::Forget{0});
  beats_[0] = false;
  EXPECT_EQ(state(0), NodeState::kUnknown);
  run(1'000);
  connect(0);
  EXPECT_EQ(state(0), NodeState::kUp);
}

TEST_F(DetectorTest, EvidenceReadsWell) {
  Evidence why;
  why.cause = Cause::kUnanswered;
  why.silent_ms = 2'840;
  why.echoes_sent = 63;
  why.confirmed_by = {1, kServer};
  EXPECT_EQ(evidence_text(why, [](NodeRef ref) { return "node-" + std::to_string(ref); }),
            "no beat for 2.84 s and none of 63 echoes answered, asked by node-1, this server");
}

}  // namespace
}  // namespace binnacle::watch::heartbeat
