#include "link/node_table.h"

#include <gtest/gtest.h>

namespace binnacle::link {
namespace {

using model::NodeState;

constexpr int64_t kLivelyMs = 1000;

class NodeTableTest : public testing::Test {
 protected:
  static Hello hello(char id, std::string name, std::string boot = "b1") {
    return {.node_id = std::string(32, id),
            .name = std::move(name),
            .role = "worker",
            .cluster = "lab",
            .boot_id = std::move(boot),
            .probe_address = ":9"};
  }
  Admission admit(const Hello& h, uint64_t session, const std::string& address = "10.0.0.1") {
    return table_.admit(h, session, address, kLivelyMs);
  }
  NodeState state_of(char id) { return table_.node({std::string(32, id)})->state; }

  SimulatedClock clock_;
  NodeTable table_{clock_, 3};
};

TEST_F(NodeTableTest, ANodeIsUpWhileItsConnectionStands) {
  EXPECT_EQ(admit(hello('a', "n1"), 1).refusal, Refusal::kNone);
  EXPECT_EQ(state_of('a'), NodeState::kUp);
  clock_.advance_ms(5000);
  const auto gone = table_.disconnect(std::string(32, 'a'), 1, false);
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->state, NodeState::kDown);
  EXPECT_EQ(gone->since_ms, clock_.wall_ms());
  admit(hello('a', "n1"), 2);
  EXPECT_EQ(table_.disconnect(std::string(32, 'a'), 2, true)->state, NodeState::kLeft);
}

TEST_F(NodeTableTest, TheSameIdAtANewAddressIsTheSameNode) {
  admit(hello('a', "n1"), 1);
  const Admission again = admit(hello('a', "n1"), 2, "10.0.0.9");
  EXPECT_EQ(again.refusal, Refusal::kNone);
  EXPECT_EQ(again.replaces, 1U);
  EXPECT_EQ(table_.nodes().size(), 1U);
  EXPECT_EQ(table_.nodes()[0].address, "10.0.0.9");
  EXPECT_FALSE(table_.disconnect(std::string(32, 'a'), 1, false)) << "the old connection's end";
  EXPECT_EQ(state_of('a'), NodeState::kUp);
}

TEST_F(NodeTableTest, ANameIsTakenWhileItsNodeIsConnected) {
  admit(hello('a', "n1"), 1);
  const Admission refused = admit(hello('b', "n1"), 2, "10.0.0.2");
  EXPECT_EQ(refused.refusal, Refusal::kNameTaken);
  for (const char* part : {"n1", "aaaa", "10.0.0.1", "10.0.0.2", "--name"})
    EXPECT_NE(refused.reason.find(part), std::string::npos) << refused.reason;
  table_.disconnect(std::string(32, 'a'), 1, false);
  EXPECT_EQ(admit(hello('b', "n1"), 3).refusal, Refusal::kNone);
  ASSERT_EQ(table_.nodes().size(), 1U) << "the name belongs to one node";
  EXPECT_EQ(table_.nodes()[0].id.value, std::string(32, 'b'));
}

TEST_F(NodeTableTest, ACopyOfADataFolderIsRefusedWhileTheFirstBeats) {
  const Admission first = admit(hello('a', "n1", "b1"), 1);
  EXPECT_EQ(admit(hello('a', "n2", "b2"), 2).refusal, Refusal::kIdInUse);
  clock_.advance_ms(kLivelyMs);
  table_.beat(first.place, 1, std::nullopt);
  clock_.advance_ms(kLivelyMs - 1);
  EXPECT_EQ(admit(hello('a', "n2", "b2"), 2).refusal, Refusal::kIdInUse);
  clock_.advance_ms(1);
  const Admission after_silence = admit(hello('a', "n2", "b2"), 2);
  EXPECT_EQ(after_silence.refusal, Refusal::kNone);
  EXPECT_EQ(after_silence.replaces, 1U);
  ASSERT_EQ(table_.nodes().size(), 1U);
  EXPECT_EQ(table_.nodes()[0].name, "n2");
}

TEST_F(NodeTableTest, TheLongestGoneMakesRoom) {
  admit(hello('a', "n1"), 1);
  admit(hello('b', "n2"), 2);
  admit(hello('c', "n3"), 3);
  EXPECT_EQ(admit(hello('d', "n4"), 4).refusal, Refusal::kTooManyNodes);
  table_.disconnect(std::string(32, 'b'), 2, false);
  clock_.advance_ms(1);
  table_.disconnect(std::string(32, 'a'), 1, false);
  EXPECT_EQ(admit(hello('d', "n4"), 4).refusal, Refusal::kNone);
  EXPECT_FALSE(table_.node({std::string(32, 'b')}));
  EXPECT_TRUE(table_.node({std::string(32, 'a')}));
}

TEST_F(NodeTableTest, ThePlaceOfANodeThatMadeRoomIsTheNextOnes) {
  const size_t gone = admit(hello('a', "n1"), 1).place;
  admit(hello('b', "n2"), 2);
  admit(hello('c', "n3"), 3);
  table_.disconnect(std::string(32, 'a'), 1, false);
  EXPECT_EQ(admit(hello('d', "n4"), 4).place, gone);
  clock_.advance_ms(5);
  table_.beat(gone, 1, std::nullopt);
  EXPECT_EQ(table_.record({std::string(32, 'd')})->last_beat_ms, 0)
      << "a beat of who had it before";
  table_.beat(gone, 4, std::nullopt);
  EXPECT_NE(table_.record({std::string(32, 'd')})->last_beat_ms, 0);
}

TEST_F(NodeTableTest, TheShortestRoundTripTellsTheClock) {
  const size_t place = admit(hello('a', "n1"), 1).place;
  table_.beat(place, 1, ClockReading{5, 300});
  table_.beat(place, 1, ClockReading{7, 100});
  table_.beat(place, 1, ClockReading{9, 200});
  table_.beat(place, 99, ClockReading{0, 1});
  const auto records = table_.take_readings();
  EXPECT_EQ(*records[0].best_clocks, (ClockReading{7, 100}));
  EXPECT_EQ(*records[0].clocks, (ClockReading{9, 200}));
  EXPECT_FALSE(table_.take_readings()[0].best_clocks) << "starts over";
}

TEST_F(NodeTableTest, AnEchoAddressIsMadeWholeByTheConnection) {
  admit(hello('a', "n1"), 1, "::1");
  EXPECT_FALSE(table_.has_echo(std::string(32, 'a')));
  Hello with = hello('b', "n2");
  with.echo_address = ":7";
  admit(with, 2, "::1");
  EXPECT_TRUE(table_.has_echo(std::string(32, 'b')));
  EXPECT_EQ(table_.records()[1].echo_address, "[::1]:7");
}

TEST_F(NodeTableTest, PeersAreThoseThatCanBeProbed) {
  const uint64_t before = table_.peers_version();
  admit(hello('a', "n1"), 1, "::1");
  admit(hello('b', "n2"), 2);
  Hello silent = hello('c', "n3");
  silent.probe_address = "";
  admit(silent, 3);
  table_.disconnect(std::string(32, 'b'), 2, false);
  EXPECT_NE(table_.peers_version(), before);
  EXPECT_EQ(table_.peers(), (Peers{{{std::string(32, 'a'), "n1", "[::1]:9"}}}));
}

}  // namespace
}  // namespace binnacle::link
