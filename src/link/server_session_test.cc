#include "link/server_session.h"

#include <gtest/gtest.h>

namespace binnacle::link {
namespace {

using namespace session_action;
using session_event::Received;
using session_event::Tick;

constexpr int64_t kWall = 1'700'000'000'000'000'000;

Hello good_hello() {
  return {.newest_version = kNewestVersion,
          .oldest_version = kOldestVersion,
          .node_id = std::string(32, 'a'),
          .name = "n1",
          .role = "worker",
          .boot_id = "b"};
}

class ServerSessionTest : public testing::Test {
 protected:
  SessionActions step(SessionEvent event) {
    return session_.step(now_ms_, kWall + now_ms_ * 1'000'000, std::move(event));
  }
  void join() {
    step(Received{good_hello()});
    step(session_event::Admitted{});
    ASSERT_TRUE(session_.up());
  }
  template <typename T>
  static const T* only(const SessionActions& actions) {
    return actions.size() == 1 ? std::get_if<T>(&actions[0]) : nullptr;
  }
  template <typename F>
  static const F* only_sent(const SessionActions& actions) {
    const Send* send = only<Send>(actions);
    return send == nullptr ? nullptr : std::get_if<F>(&send->frame);
  }

  SessionOptions options_{
      .frames_per_second = 10, .frame_burst = 3, .max_probes = 2, .max_echoes = 2};
  int64_t now_ms_ = 1000;
  uint64_t beats_ = 0;
  ServerSession session_{options_, now_ms_};
};

TEST_F(ServerSessionTest, AHelloIsPutToTheTableAndAnswered) {
  const auto asked = step(Received{good_hello()});
  ASSERT_TRUE(only<Admit>(asked));
  EXPECT_EQ(only<Admit>(asked)->hello, good_hello());
  const auto answered = step(session_event::Admitted{HelloReply{.version = 1}});
  const auto* reply = only_sent<HelloReply>(answered);
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->accepted);
  EXPECT_EQ(reply->beat_interval_ms, 250U);
  EXPECT_EQ(reply->silence_limit_ms, 10'000U);
}

TEST_F(ServerSessionTest, ARefusalIsToldAndCloses) {
  step(Received{good_hello()});
  const auto actions = step(session_event::Refused{
      HelloReply{.accepted = true, .refusal = Refusal::kNameTaken, .reason = "taken"}});
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_FALSE(std::get<HelloReply>(std::get<Send>(actions[0]).frame).accepted);
  EXPECT_EQ(std::get<Close>(actions[1]).reason, "taken");
  EXPECT_TRUE(step(Received{Beat{}}).empty()) << "nothing after a close";
}

TEST_F(ServerSessionTest, WithoutAHelloItEnds) {
  now_ms_ += 4'999;
  EXPECT_TRUE(step(Tick{}).empty());
  now_ms_ += 1;
  EXPECT_TRUE(only<Close>(step(Tick{})));
}

TEST_F(ServerSessionTest, FramesOutOfOrderEndIt) {
  ServerSession early(options_, now_ms_);
  EXPECT_TRUE(only<Close>(early.step(now_ms_, kWall, Received{Beat{}})));
  join();
  const auto again = step(Received{good_hello()});
  ASSERT_TRUE(only<Close>(again));
  EXPECT_EQ(only<Close>(again)->code, 1002);
}

TEST_F(ServerSessionTest, BeatsAreAnsweredAndTellTheClocks) {
  join();
  const auto first = step(Received{Beat{1, kWall + 1'000'000'500, 0, 0}});
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(std::get<BeatReply>(std::get<Send>(first[0]).frame),
            (BeatReply{1, kWall + 1'000'000'000, kWall + 1'000'000'000}));
  EXPECT_FALSE(std::get<Beaten>(first[1]).clocks);
  now_ms_ += 250;
  const auto second = step(Received{Beat{2, kWall + 1'250'000'500, 1, kWall + 1'000'000'700}});
  ASSERT_EQ(second.size(), 2U);
  ASSERT_TRUE(std::get<Beaten>(second[1]).clocks);
  EXPECT_EQ(*std::get<Beaten>(second[1]).clocks, (ClockReading{600, 200}));
  const auto third = step(Received{
      Beat{.number = 3, .answered_number = 1, .loop_lag_us = 7, .load = LoadDigest{1, 2, 3}}});
  EXPECT_FALSE(std::get<Beaten>(third[1]).clocks) << "of an older reply";
  EXPECT_EQ(std::get<Beaten>(third[1]).beat.loop_lag_us, 7U);
  EXPECT_EQ(std::get<Beaten>(third[1]).beat.load, (LoadDigest{1, 2, 3}));
}

TEST_F(ServerSessionTest, OfManyNodesOnlySomeBeatsAreAnswered) {
  join();
  session_.answer_each(4);
  size_t answers = 0;
  for (uint64_t number = 1; number <= 12; ++number) {
    const auto actions = step(Received{Beat{.number = number, .sent_ns = kWall + 2'000'000'500}});
    ASSERT_TRUE(std::holds_alternative<Beaten>(actions.back())) << "each one counts";
    answers += actions.size() - 1;
  }
  EXPECT_EQ(answers, 3U);
  // The beats after an answer tell of it until the next; the first one is enough.
  const auto told = step(Received{Beat{13, kWall + 3'000'000'500, 12, kWall + 2'000'000'700}});
  EXPECT_TRUE(std::get<Beaten>(told.back()).clocks);
  const auto again = step(Received{Beat{14, kWall + 3'250'000'500, 12, kWall + 2'000'000'700}});
  EXPECT_FALSE(std::get<Beaten>(again.back()).clocks);
}

TEST_F(ServerSessionTest, SaysWhenATickIsDue) {
  EXPECT_EQ(session_.next_due_ms(), now_ms_ + 5'000) << "for a hello";
  join();
  EXPECT_EQ(session_.next_due_ms(), now_ms_ + 10'000) << "silence";
  step(session_event::Look{});
  step(session_event::Probe{.id = 1, .address = "10.0.0.1:1", .timeout_ms = 1'000});
  EXPECT_EQ(session_.next_due_ms(), now_ms_ + 2'000) << "the probe";
  now_ms_ += 2'000;
  step(Tick{});
  EXPECT_EQ(session_.next_due_ms(), now_ms_ + 8'000) << "silence again";
}

TEST_F(ServerSessionTest, AnOldBeatIsNoSignOfLife) {
  join();
  EXPECT_EQ(step(Received{Beat{.number = 5}}).size(), 2U);
  now_ms_ += 9'999;
  for (const uint64_t number : {5, 4, 0}) {
    const auto actions = step(Received{Beat{.number = number}});
    ASSERT_TRUE(only<Drop>(actions)) << number;
    EXPECT_EQ(only<Drop>(actions)->why, "replay");
  }
  now_ms_ += 1;
  EXPECT_TRUE(only<Close>(step(Tick{})));
}

TEST_F(ServerSessionTest, SilenceEndsIt) {
  join();
  now_ms_ += 9'999;
  EXPECT_TRUE(step(Tick{}).empty());
  step(Received{Beat{.number = ++beats_}});
  now_ms_ += 9'999;
  EXPECT_TRUE(step(Tick{}).empty());
  now_ms_ += 1;
  const auto actions = step(Tick{});
  ASSERT_TRUE(only<Close>(actions));
  EXPECT_EQ(only<Close>(actions)->reason, "silent");
  EXPECT_EQ(only<Close>(actions)->how, LinkEnd::kSilent);
}

TEST_F(ServerSessionTest, ManyFramesAreDroppedButBeatsAreNot) {
  join();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(only<Deliver>(step(Received{CheckResult{}})));
  EXPECT_TRUE(only<Drop>(step(Received{NodeEvent{}})));
  EXPECT_EQ(step(Received{Beat{1}}).size(), 2U);
  now_ms_ += 100;
  EXPECT_TRUE(only<Deliver>(step(Received{NodeEvent{}})));
}

TEST_F(ServerSessionTest, FramesOfTheOtherDirectionAreDropped) {
  join();
  const auto actions = step(Received{Pace{1}});
  ASSERT_TRUE(only<Drop>(actions));
  EXPECT_EQ(only<Drop>(actions)->why, "direction");
}

TEST_F(ServerSessionTest, AProbeIsAnsweredOnceByTheAgentOrForIt) {
  join();
  const auto asked = step(session_event::Probe{7, "h:1", 99'999});
  ASSERT_TRUE(only_sent<ProbeRequest>(asked));
  EXPECT_EQ(*only_sent<ProbeRequest>(asked), (ProbeRequest{7, "h:1", 10'000}));
  EXPECT_TRUE(only<Deliver>(step(Received{ProbeReply{.id = 7, .reached = true}})));
  EXPECT_TRUE(only<Drop>(step(Received{ProbeReply{.id = 7}}))) << "twice";
  EXPECT_TRUE(only<Drop>(step(Received{ProbeReply{.id = 99}}))) << "never asked";

  step(session_event::Probe{8, "h:1", 100});
  now_ms_ += 199;
  EXPECT_TRUE(step(Tick{}).empty());
  now_ms_ += 1;
  const auto given_up = step(Tick{});
  ASSERT_TRUE(only<Deliver>(given_up));
  EXPECT_FALSE(std::get<ProbeReply>(only<Deliver>(given_up)->frame).reached);
}

TEST_F(ServerSessionTest, ProbesAreBounded) {
  join();
  step(session_event::Probe{1, "h:1", 100});
  step(session_event::Probe{2, "h:1", 100});
  EXPECT_TRUE(only<Deliver>(step(session_event::Probe{3, "h:1", 100})));
}

TEST_F(ServerSessionTest, AnEchoEndsOnceByTheAgentOrForIt) {
  join();
  const auto asked = step(session_event::Echo{7, "10.0.0.1:1", 100, 99'999});
  ASSERT_TRUE(only_sent<EchoRequest>(asked));
  EXPECT_EQ(*only_sent<EchoRequest>(asked), (EchoRequest{7, "10.0.0.1:1", 100, 30'000}));
  EXPECT_TRUE(only<Deliver>(step(Received{EchoReply{.id = 7, .sent = 1, .answered = 1}})));
  EXPECT_TRUE(only_sent<EchoRequest>(step(session_event::Echo{.id = 7})));
  EXPECT_TRUE(only<Deliver>(step(Received{EchoReply{.id = 7, .done = true}})));
  EXPECT_TRUE(only<Drop>(step(Received{EchoReply{.id = 7, .done = true}}))) << "twice";
  EXPECT_TRUE(step(session_event::Echo{.id = 7}).empty()) << "is over";

  step(session_event::Echo{8, "10.0.0.1:1", 100, 500});
  now_ms_ += 1'499;
  EXPECT_TRUE(step(Tick{}).empty());
  now_ms_ += 1;
  const auto given_up = step(Tick{});
  ASSERT_TRUE(only<Deliver>(given_up));
  const auto& reply = std::get<EchoReply>(only<Deliver>(given_up)->frame);
  EXPECT_TRUE(reply.done);
  EXPECT_FALSE(reply.error.empty());
}

TEST_F(ServerSessionTest, EchoesAreBounded) {
  join();
  step(session_event::Echo{1, "10.0.0.1:1", 100, 500});
  step(session_event::Echo{2, "10.0.0.1:1", 100, 500});
  const auto third = step(session_event::Echo{3, "10.0.0.1:1", 100, 500});
  ASSERT_TRUE(only<Deliver>(third));
  EXPECT_TRUE(std::get<EchoReply>(only<Deliver>(third)->frame).done);
}

TEST_F(ServerSessionTest, FactsAreDelivered) {
  join();
  EXPECT_TRUE(only<Deliver>(step(Received{Facts{{{"kernel", "6.1"}}}})));
}

TEST_F(ServerSessionTest, ALookSetsThePaceForAWhile) {
  join();
  const auto first = step(session_event::Look{});
  ASSERT_TRUE(only_sent<Pace>(first));
  EXPECT_EQ(only_sent<Pace>(first)->interval_ms, 1000U);
  now_ms_ += 20'000;
  step(Received{Beat{.number = ++beats_}});
  EXPECT_TRUE(step(session_event::Look{}).empty()) << "is at that pace";
  now_ms_ += 9'000;
  step(Received{Beat{.number = ++beats_}});
  now_ms_ += 9'000;
  step(Received{Beat{.number = ++beats_}});
  EXPECT_TRUE(step(Tick{}).empty());
  now_ms_ += 9'000;
  step(Received{Beat{.number = ++beats_}});
  now_ms_ += 3'000;
  const auto over = step(Tick{});
  ASSERT_TRUE(only_sent<Pace>(over));
  EXPECT_EQ(only_sent<Pace>(over)->interval_ms, 0U);
}

TEST_F(ServerSessionTest, AGoodbyeIsACleanEnd) {
  join();
  const auto actions = step(Received{Goodbye{"stop"}});
  ASSERT_TRUE(only<Close>(actions));
  EXPECT_EQ(only<Close>(actions)->how, LinkEnd::kGoodbye);
}

TEST(CheckHello, SaysWhatIsWrong) {
  EXPECT_EQ(check_hello(good_hello()).refusal, Refusal::kNone);
  const auto broken = [](auto&& change) {
    Hello hello = good_hello();
    change(hello);
    return check_hello(hello).refusal;
  };
  EXPECT_EQ(broken([](Hello& h) { h.node_id = "A"; }), Refusal::kHello);
  EXPECT_EQ(broken([](Hello& h) { h.node_id[3] = 'G'; }), Refusal::kHello);
  EXPECT_EQ(broken([](Hello& h) { h.name = ""; }), Refusal::kHello);
  EXPECT_EQ(broken([](Hello& h) { h.name = "a\nb"; }), Refusal::kHello);
  EXPECT_EQ(broken([](Hello& h) { h.boot_id = ""; }), Refusal::kHello);
  EXPECT_EQ(broken([](Hello& h) { h.newest_version = 0; }), Refusal::kVersion);
  EXPECT_EQ(broken([](Hello& h) { h.newest_version = 9; }), Refusal::kNone);
  EXPECT_EQ(broken([](Hello& h) { h.newest_version = h.oldest_version = 9; }), Refusal::kVersion);
}

}  // namespace
}  // namespace binnacle::link
