#include "link/client_session.h"

#include <gtest/gtest.h>

namespace binnacle::link {
namespace {

using namespace client_action;
using client_event::Received;
using client_event::Tick;

class ClientSessionTest : public testing::Test {
 protected:
  ClientActions step(ClientEvent event) {
    return session_.step(now_ms_, now_ms_ * 1'000'000, std::move(event));
  }
  void join() {
    step(client_event::Connected{});
    step(Received{HelloReply{
        .accepted = true, .version = 1, .beat_interval_ms = 250, .silence_limit_ms = 10'000}});
    ASSERT_TRUE(session_.up());
  }
  template <typename T>
  static const T* only(const ClientActions& actions) {
    return actions.size() == 1 ? std::get_if<T>(&actions[0]) : nullptr;
  }
  template <typename F>
  static const F* only_sent(const ClientActions& actions) {
    const Send* send = only<Send>(actions);
    return send == nullptr ? nullptr : std::get_if<F>(&send->frame);
  }

  int64_t now_ms_ = 1000;
  ClientSession session_{{.max_probes = 1, .max_echoes = 1}};
};

TEST_F(ClientSessionTest, SaysHelloFirstAndBeatsOnceAccepted) {
  Hello hello{.name = "n"};
  EXPECT_EQ(*only_sent<Hello>(step(client_event::Connected{hello})), hello);
  EXPECT_TRUE(step(Tick{}).empty()) << "no beat before the answer";
  EXPECT_TRUE(only<Accepted>(
      step(Received{HelloReply{.accepted = true, .version = 1, .beat_interval_ms = 250}})));
  EXPECT_EQ(session_.next_due_ms(), now_ms_);
  ASSERT_TRUE(only_sent<Beat>(step(Tick{})));
  EXPECT_TRUE(step(Tick{}).empty());
  EXPECT_EQ(session_.next_due_ms(), now_ms_ + 250);
}

TEST_F(ClientSessionTest, ABeatCarriesWhenTheOneBeforeWasAnswered) {
  join();
  EXPECT_EQ(*only_sent<Beat>(step(Tick{})), (Beat{1, 1'000'000'000, 0, 0}));
  now_ms_ += 3;
  EXPECT_TRUE(step(Received{BeatReply{1, 5, 6}}).empty());
  now_ms_ += 1;
  EXPECT_TRUE(step(Received{BeatReply{1, 5, 6}}).empty()) << "twice";
  now_ms_ += 246;
  EXPECT_EQ(*only_sent<Beat>(step(Tick{})), (Beat{2, 1'250'000'000, 1, 1'003'000'000}));
}

TEST_F(ClientSessionTest, MissedBeatsAreNotMadeUpFor) {
  join();
  step(Tick{});
  now_ms_ += 2'000;
  EXPECT_TRUE(only_sent<Beat>(step(Tick{})));
  EXPECT_TRUE(step(Tick{}).empty());
  EXPECT_GT(session_.next_due_ms(), now_ms_);
}

TEST_F(ClientSessionTest, ASilentServerIsLeft) {
  join();
  now_ms_ += 9'999;
  EXPECT_TRUE(only_sent<Beat>(step(Tick{})));
  now_ms_ += 1;
  EXPECT_TRUE(only<Close>(step(Tick{})));
}

TEST_F(ClientSessionTest, AnUnansweredHelloEndsIt) {
  step(client_event::Connected{});
  now_ms_ = session_.next_due_ms();
  EXPECT_TRUE(only<Close>(step(Tick{})));
}

TEST_F(ClientSessionTest, ARefusalIsTold) {
  step(client_event::Connected{});
  const auto actions =
      step(Received{HelloReply{.refusal = Refusal::kNameTaken, .reason = "taken"}});
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_EQ(std::get<Refused>(actions[0]).reply.refusal, Refusal::kNameTaken);
  EXPECT_EQ(std::get<Close>(actions[1]).reason, "taken");
}

TEST_F(ClientSessionTest, AVersionThatWasNotOfferedIsNotSpoken) {
  step(client_event::Connected{});
  EXPECT_TRUE(only<Close>(step(Received{HelloReply{.accepted = true, .version = 9}})));
}

TEST_F(ClientSessionTest, ProbesAreBoundedAndClamped) {
  join();
  const auto first = step(Received{ProbeRequest{1, "h:1", 99'999}});
  ASSERT_TRUE(only<Probe>(first));
  EXPECT_EQ(only<Probe>(first)->request.timeout_ms, 10'000U);
  const auto second = step(Received{ProbeRequest{2, "h:1", 10}});
  ASSERT_TRUE(only_sent<ProbeReply>(second));
  EXPECT_FALSE(only_sent<ProbeReply>(second)->reached);
  EXPECT_TRUE(only_sent<ProbeReply>(step(client_event::ProbeDone{{.id = 1, .reached = true}})));
  EXPECT_TRUE(only<Probe>(step(Received{ProbeRequest{3, "h:1", 10}})));
}

TEST_F(ClientSessionTest, EchoesAreBoundedAndClamped) {
  join();
  const auto first = step(Received{EchoRequest{1, "10.0.0.1:9", 1, 99'999}});
  ASSERT_TRUE(only<Echo>(first));
  EXPECT_EQ(only<Echo>(first)->request, (EchoRequest{1, "10.0.0.1:9", 20, 30'000}));
  EXPECT_TRUE(only<Drop>(step(Received{EchoRequest{1, "10.0.0.1:9", 100, 500}}))) << "again";
  const auto second = step(Received{EchoRequest{2, "10.0.0.2:9", 100, 500}});
  ASSERT_TRUE(only_sent<EchoReply>(second));
  EXPECT_TRUE(only_sent<EchoReply>(second)->done);
  EXPECT_TRUE(only<Echo>(step(Received{EchoRequest{.id = 1}}))) << "stop";
  EXPECT_TRUE(step(Received{EchoRequest{.id = 2}}).empty()) << "does not run";
  EXPECT_TRUE(only_sent<EchoReply>(step(client_event::EchoProgress{{.id = 1, .answered = 1}})));
  EXPECT_TRUE(only_sent<EchoReply>(step(client_event::EchoProgress{{.id = 1, .done = true}})));
  EXPECT_TRUE(step(client_event::EchoProgress{{.id = 1, .done = true}}).empty()) << "is over";
  EXPECT_TRUE(only<Echo>(step(Received{EchoRequest{2, "10.0.0.2:9", 100, 500}})));
}

TEST_F(ClientSessionTest, FactsFollowTheHelloAndEachChange) {
  const Facts facts{{{"kernel", "6.1"}}};
  step(client_event::Connected{{}, facts});
  const auto accepted =
      step(Received{HelloReply{.accepted = true, .version = 1, .beat_interval_ms = 250}});
  ASSERT_EQ(accepted.size(), 2U);
  EXPECT_EQ(std::get<Facts>(std::get<Send>(accepted[1]).frame), facts);
  EXPECT_TRUE(step(client_event::FactsChanged{facts}).empty());
  const Facts others{{{"kernel", "6.2"}}};
  const auto changed = step(client_event::FactsChanged{others});
  ASSERT_TRUE(only_sent<Facts>(changed));
  EXPECT_EQ(*only_sent<Facts>(changed), others);
}

TEST_F(ClientSessionTest, ABeatTellsTheWorstLagSinceTheOneBefore) {
  join();
  EXPECT_EQ(only_sent<Beat>(step(Tick{.loop_lag_us = 900}))->loop_lag_us, 900U);
  now_ms_ += 100;
  EXPECT_TRUE(step(Tick{.loop_lag_us = 700}).empty());
  now_ms_ += 150;
  const auto beat = step(Tick{.loop_lag_us = 3, .load = LoadDigest{1, 2, 3}});
  EXPECT_EQ(only_sent<Beat>(beat)->loop_lag_us, 700U);
  EXPECT_EQ(only_sent<Beat>(beat)->load, (LoadDigest{1, 2, 3}));
  now_ms_ += 250;
  EXPECT_EQ(only_sent<Beat>(step(Tick{}))->loop_lag_us, 0U);
}

TEST_F(ClientSessionTest, OnlyWhatTheTableListsIsTold) {
  join();
  EXPECT_TRUE(only<Tell>(step(Received{Pace{1000}})));
  EXPECT_TRUE(only<Tell>(step(Received{Peers{}})));
  EXPECT_TRUE(only<Tell>(step(Received{Drain{}})));
  EXPECT_TRUE(only<Drop>(step(Received{CheckResult{}})));
  EXPECT_TRUE(only<Drop>(step(Received{Hello{}})));
}

TEST_F(ClientSessionTest, LeavesWithAGoodbye) {
  join();
  const auto actions = step(client_event::Leave{"stop"});
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_EQ(std::get<Goodbye>(std::get<Send>(actions[0]).frame).reason, "stop");
  EXPECT_EQ(std::get<Close>(actions[1]).code, 1000);
}

TEST_F(ClientSessionTest, HostileIntervalsAreHeldWithinReason) {
  step(client_event::Connected{});
  step(Received{HelloReply{.accepted = true, .version = 1}});
  step(Tick{});
  EXPECT_EQ(session_.next_due_ms(), now_ms_ + 10);
}

}  // namespace
}  // namespace binnacle::link
