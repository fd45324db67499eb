// The driver with a real node table and a simulated clock; whom it asks is a double.
#include "watch/heartbeat/heartbeat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace binnacle::watch::heartbeat {
namespace {

using model::NodeState;
using testing::ElementsAre;
using testing::HasSubstr;

class AskedConfirmers final : public Confirmers {
 public:
  Result<uint64_t> probe(const model::NodeId& via, const std::string& address, int64_t) override {
    asked.push_back("probe " + via.value.substr(0, 1) + " " + address);
    probes.push_back(++last_id);
    return last_id;
  }
  Result<uint64_t> echo(const model::NodeId& via, const std::string& address, int64_t,
                        int64_t) override {
    if (no_echoes) return fail(Code::kFailedPrecondition, "no socket");
    asked.push_back("echo " + via.value.substr(0, 1) + " " + address);
    echoes.push_back(++last_id);
    return last_id;
  }
  void stop_echo(const model::NodeId&, uint64_t) override { ++stopped; }
  void probe_here(const std::string& address, int64_t, OnProbe on_probe) override {
    asked.push_back("probe here " + address);
    on_probes.push_back(std::move(on_probe));
  }
  Result<uint64_t> echo_here(const std::string& address, int64_t, int64_t,
                             OnEcho on_echo) override {
    asked.push_back("echo here " + address);
    on_echoes.push_back(std::move(on_echo));
    return ++last_id;
  }
  void stop_echo_here(uint64_t) override { ++stopped; }

  std::vector<std::string> asked;
  std::vector<uint64_t> probes, echoes;
  std::vector<OnProbe> on_probes;
  std::vector<OnEcho> on_echoes;
  uint64_t last_id = 100;
  int stopped = 0;
  bool no_echoes = false;
};

class KeptEvents final : public model::EventBus {
 public:
  Result<int64_t> publish(model::Event event) override {
    events.push_back(std::move(event));
    return 1;
  }
  Result<uint64_t> subscribe(std::string, std::string, Deliver) override { return 0; }
  void unsubscribe(uint64_t) override {}
  Result<std::vector<model::Event>> recent(std::string_view, int64_t, size_t) override {
    return std::vector<model::Event>();
  }
  std::vector<model::Event> events;  // of the pool's one thread, read after it ended
};

class HeartbeatTest : public testing::Test {
 protected:
  ~HeartbeatTest() override { pool_.stop(); }  // its work uses the heartbeat's queue
  Heartbeat& made(HeartbeatOptions options = {}) {
    heartbeat_ = std::make_unique<Heartbeat>(
        std::move(options), HeartbeatDeps{table_, confirmers_, bus_, pool_, clock_, registry_, {}});
    return *heartbeat_;
  }
  model::Node connect(char id, const std::string& name) {
    link::Hello hello;
    hello.node_id = std::string(32, id);
    hello.name = name;
    hello.role = "worker";
    hello.cluster = "lab";
    hello.boot_id = "boot";
    hello.probe_address = ":9000";
    hello.echo_address = ":9001";
    const auto admission = table_.admit(hello, ++session_, "10.0.0." + std::to_string(id - 'a'), 0);
    EXPECT_EQ(admission.refusal, link::Refusal::kNone) << admission.reason;
    next_beats_[name] = {.session = session_, .place = admission.place};
    heartbeat_->connected(admission.node);
    return admission.node;
  }
  // Beats of `nodes` and ticks for so long.
  void run(int64_t ms, const std::vector<model::Node>& nodes) {
    for (int64_t past = 0; past < ms; past += 50) {
      clock_.advance_ms(50);
      for (const model::Node& node : nodes) {
        if (past % 250 != 0) continue;
        link::BeatTimes& times = next_beats_[node.name];
        ++times.number;
        times.loop_lag_us = 1'500;
        heartbeat_->beat(node.id, times);
      }
      heartbeat_->tick();
    }
  }
  NodeState state(const model::Node& node) const { return heartbeat_->node(node.id)->state; }
  std::vector<std::string> kinds() {
    pool_.stop();
    std::vector<std::string> kinds;
    for (const model::Event& event : bus_.events) kinds.push_back(event.kind + " " + event.subject);
    return kinds;
  }
  double value(std::string_view name, std::string_view label = "") {
    double found = -1;
    registry_.visit([&](std::string_view one, auto labels, double number) {
      if (one == name && (label.empty() || (!labels.empty() && labels[0].second == label)))
        found = number;
    });
    return found;
  }

  SimulatedClock clock_;
  Registry registry_;
  link::NodeTable table_{clock_, 100};
  AskedConfirmers confirmers_;
  KeptEvents bus_;
  ThreadPool pool_{"pool", 1, 64};
  uint64_t session_ = 0;
  std::map<std::string, link::BeatTimes> next_beats_;
  std::unique_ptr<Heartbeat> heartbeat_;
};

TEST_F(HeartbeatTest, AKilledNodeIsDownOnceItsPortRefuses) {
  made();
  const model::Node a = connect('a', "alpha");
  const model::Node b = connect('b', "beta");
  run(2'000, {a, b});
  EXPECT_EQ(state(a), NodeState::kUp);
  heartbeat_->disconnected(a, link::LinkEnd::kClosed, "broken");
  EXPECT_EQ(state(a), NodeState::kSuspect);
  EXPECT_THAT(confirmers_.asked, ElementsAre("probe here 10.0.0.0:9000", "probe b 10.0.0.0:9000"));
  heartbeat_->probe_reply(b, {.id = 1, .reached = true});  // somebody else's
  heartbeat_->probe_reply(b, {.id = confirmers_.probes[0], .error = "connect: Connection refused"});
  confirmers_.on_probes[0](ProbeOutcome::kRefused);
  EXPECT_EQ(state(a), NodeState::kDown);
  const auto statuses = heartbeat_->statuses();
  EXPECT_THAT(statuses[0].reason, HasSubstr("refuses 2 of 2 probes"));
  EXPECT_THAT(statuses[0].reason, HasSubstr("beta"));
  EXPECT_EQ(value("binnacle_heartbeat_nodes", "down"), 1);
  EXPECT_EQ(value("binnacle_heartbeat_nodes", "up"), 1);
  EXPECT_EQ(value("binnacle_heartbeat_downs_total", "connections_refused"), 1);
  connect('a', "alpha");
  run(500, {a, b});
  EXPECT_EQ(state(a), NodeState::kUp);
  EXPECT_THAT(kinds(), ElementsAre("node.up alpha", "node.up beta", "node.suspect alpha",
                                   "node.down alpha", "node.up alpha"));
  const auto data = nlohmann::json::parse(bus_.events[3].data);
  EXPECT_EQ(data["cause"], "connections_refused");
  EXPECT_THAT(data["confirmed_by"], ElementsAre("this server", "beta"));
  EXPECT_EQ(data["cluster"], "lab");
}

TEST_F(HeartbeatTest, ASilentNodeIsAskedByEchoesAndDownWhenNoneIsAnswered) {
  made();
  const model::Node a = connect('a', "alpha");
  const model::Node b = connect('b', "beta");
  run(2'000, {a, b});
  run(700, {b});
  EXPECT_EQ(state(a), NodeState::kSuspect);
  EXPECT_THAT(confirmers_.asked, ElementsAre("echo here 10.0.0.0:9001", "echo b 10.0.0.0:9001"));
  run(2'100, {b});
  confirmers_.on_echoes[0]({21, 0, true});
  EXPECT_EQ(state(a), NodeState::kSuspect);
  heartbeat_->echo_reply(b, {.id = confirmers_.echoes[0], .sent = 21, .done = true});
  run(100, {b});
  EXPECT_EQ(state(a), NodeState::kDown);
  EXPECT_THAT(heartbeat_->statuses()[0].reason, HasSubstr("none of 42 echoes answered"));
}

TEST_F(HeartbeatTest, ABeatEndsTheQuestions) {
  made();
  const model::Node a = connect('a', "alpha");
  const model::Node b = connect('b', "beta");
  run(2'000, {a, b});
  run(700, {b});
  run(250, {a, b});
  EXPECT_EQ(state(a), NodeState::kUp);
  EXPECT_EQ(confirmers_.stopped, 2);
  EXPECT_EQ(value("binnacle_heartbeat_false_alarms_total"), 1);
  confirmers_.on_echoes[0]({21, 0, true});  // too late to matter
  EXPECT_NEAR(heartbeat_->statuses()[0].agent_lag_seconds, 0.0015, 1e-9);
}

TEST_F(HeartbeatTest, APeerThatCannotBeAskedIsNoWitness) {
  made();
  confirmers_.no_echoes = true;
  const model::Node a = connect('a', "alpha");
  const model::Node b = connect('b', "beta");
  run(2'000, {a, b});
  run(2'900, {b});
  confirmers_.on_echoes[0]({21, 0, true});
  run(100, {b});
  EXPECT_EQ(state(a), NodeState::kSuspect);
}

TEST_F(HeartbeatTest, AServerThatStopsSuspectsNobody) {
  made();
  const model::Node a = connect('a', "alpha");
  heartbeat_->stop();
  heartbeat_->disconnected(a, link::LinkEnd::kClosed, "the server stops");
  EXPECT_EQ(state(a), NodeState::kUp);
  EXPECT_TRUE(confirmers_.asked.empty());
  EXPECT_THAT(kinds(), ElementsAre("node.up alpha"));
}

TEST_F(HeartbeatTest, GoodbyeAndDrainAreWhatTheySay) {
  made();
  const model::Node a = connect('a', "alpha");
  heartbeat_->drained(a);
  EXPECT_EQ(state(a), NodeState::kDraining);
  heartbeat_->disconnected(a, link::LinkEnd::kGoodbye, "bye");
  EXPECT_EQ(state(a), NodeState::kLeft);
  EXPECT_THAT(kinds(), ElementsAre("node.up alpha", "node.draining alpha", "node.left alpha"));
}

TEST_F(HeartbeatTest, ExpectedNodesAreUnknownThenOverdue) {
  HeartbeatOptions options;
  options.expected = {{.name = "alpha", .layers = {"0-15"}}, {.name = "gamma", .role = "worker"}};
  options.join_grace_ms = 10'000;
  made(options);
  const model::Node a = connect('a', "alpha");
  run(1'000, {a});
  auto statuses = heartbeat_->statuses();
  ASSERT_EQ(statuses.size(), 2u);
  EXPECT_TRUE(statuses[0].expected);
  EXPECT_THAT(statuses[0].layers, ElementsAre("0-15"));
  EXPECT_EQ(statuses[1].node.name, "gamma");
  EXPECT_EQ(statuses[1].node.state, NodeState::kUnknown);
  EXPECT_FALSE(statuses[1].overdue);
  EXPECT_EQ(value("binnacle_heartbeat_expected_missing"), 1);
  run(10'000, {a});
  EXPECT_TRUE(heartbeat_->statuses()[1].overdue);
  connect('c', "gamma");
  EXPECT_EQ(heartbeat_->statuses()[1].node.state, NodeState::kUp);
  EXPECT_THAT(kinds(), ElementsAre("node.up alpha", "node.missing gamma", "node.up gamma"));
}

TEST_F(HeartbeatTest, WhoRunsSomethingElseIsTold) {
  made();
  std::vector<model::Node> nodes;
  for (const char id : {'a', 'b', 'c'}) {
    nodes.push_back(connect(id, std::string(3, id)));
    heartbeat_->facts(nodes.back(), {{{"kernel", id == 'b' ? "5.10" : "6.1"}}});
  }
  run(6'000, nodes);
  const auto statuses = heartbeat_->statuses();
  EXPECT_TRUE(statuses[0].drift.empty());
  ASSERT_EQ(statuses[1].drift.size(), 1u);
  EXPECT_EQ(statuses[1].drift[0].majority, "6.1");
  EXPECT_EQ(value("binnacle_heartbeat_drifting_nodes"), 1);
  EXPECT_EQ(kinds().back(), "node.drift bbb");
}

TEST_F(HeartbeatTest, AnotherNodeMayTakeTheNameOfOneThatIsGone) {
  made();
  const model::Node a = connect('a', "alpha");
  table_.disconnect(a.id.value, session_, true);
  heartbeat_->disconnected(a, link::LinkEnd::kGoodbye, "bye");
  const model::Node other = connect('f', "alpha");
  EXPECT_FALSE(heartbeat_->node(a.id).has_value());
  EXPECT_EQ(state(other), NodeState::kUp);
  EXPECT_EQ(heartbeat_->statuses().size(), 1u);
  EXPECT_EQ(value("binnacle_heartbeat_nodes", "left"), 0);
}

TEST_F(HeartbeatTest, TheLongestGoneMakesRoom) {
  HeartbeatOptions options;
  options.max_nodes = 2;
  made(options);
  const model::Node a = connect('a', "alpha");
  heartbeat_->disconnected(a, link::LinkEnd::kGoodbye, "bye");
  connect('b', "beta");
  connect('c', "gamma");
  EXPECT_FALSE(heartbeat_->node(a.id).has_value());
  EXPECT_EQ(heartbeat_->nodes().size(), 2u);
}

}  // namespace
}  // namespace binnacle::watch::heartbeat
