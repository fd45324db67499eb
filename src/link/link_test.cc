// Both ends of the link over loopback, with the project's own HTTP server between.
#include <gtest/gtest.h>
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>

#include <fmt/format.h>

#include "base/mutex.h"
#include "base/thread_pool.h"
#include "link/link_client.h"
#include "link/link_server.h"
#include "net/server.h"

namespace binnacle::link {
namespace {

using std::chrono::milliseconds;

// What happened, waited for with a deadline.
class Seen final : public LinkObserver {
 public:
  void connected(const model::Node& node) override { add("connected " + node.name); }
  void beat(const model::NodeId&, const BeatTimes& times) override {
    add(times.clocks ? "clocks" : "beat");
    if (times.load) add(fmt::format("load {}", times.load->cpu_permille));
  }
  void check_result(const model::Node&, const CheckResult& result) override {
    add("check " + result.check);
  }
  void event(const model::Node&, const NodeEvent& event) override { add("event " + event.kind); }
  void probe_reply(const model::Node&, const ProbeReply& reply) override {
    add(reply.reached && reply.round_trip_ns > 0 ? "probe reached" : "probe: " + reply.error);
  }
  void echo_reply(const model::Node&, const EchoReply& reply) override {
    add(fmt::format("echo {}{}{}", reply.answered > 0 ? "answered" : "unanswered",
                    reply.done ? " done" : "", reply.error));
  }
  void facts(const model::Node&, const Facts& facts) override {
    for (const Fact& fact : facts.facts) add("fact " + fact.name + " " + fact.value);
  }
  void drained(const model::Node&) override { add("drained"); }
  void disconnected(const model::Node& node, LinkEnd how, std::string_view) override {
    add(fmt::format("disconnected {} {}", node_state_name(node.state), link_end_name(how)));
  }

  void add(const std::string& what) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    seen_.push_back(what);
    changed_.notify_all();
  }
  // True once something that starts with `what` has happened `times` times, within ten seconds.
  bool wait(std::string_view what, int times = 1) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    for (int steps = 0; steps < 100;) {
      const auto count = std::count_if(seen_.begin(), seen_.end(), [&](const std::string& one) {
        return one.starts_with(what);
      });
      if (count >= times) return true;
      if (!changed_.wait_for_ms(mu_, 100)) ++steps;
    }
    return false;
  }
  size_t count(std::string_view what) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    return static_cast<size_t>(std::count_if(
        seen_.begin(), seen_.end(), [&](const std::string& one) { return one.starts_with(what); }));
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::vector<std::string> seen_ GUARDED_BY(mu_);
};

class TestServer {
 public:
  explicit TestServer(Seen& seen, const std::string& address = "127.0.0.1:0") {
    LinkServerOptions options;
    options.session.beat_interval_ms = 10;
    options.echo_key = "a key of 16 byte";
    options.software = "test";
    link_ = std::make_unique<LinkServer>(options, clock_, registry_);
    link_->observe(seen);
    EXPECT_TRUE(link_->register_routes(router_));
    server_ = std::make_unique<net::Server>(io_, router_, nullptr, pool_, registry_, clock_,
                                            net::ServerLimits{});
    net::ListenerOptions listener;
    listener.address = address;
    EXPECT_TRUE(server_->listen(listener));
    io_.start();
    server_->start();
  }
  ~TestServer() {
    server_->stop(milliseconds(1000));
    pool_.stop();
    io_.stop();
  }
  LinkServer& link() { return *link_; }
  std::string address() const { return server_->addresses()[0]; }

 private:
  SystemClock clock_;
  Registry registry_;
  net::Router router_;
  ThreadPool pool_{"pool", 1, 16};
  std::unique_ptr<LinkServer> link_;
  net::IoThreads io_{1};
  std::unique_ptr<net::Server> server_;
};

class TestAgent {
 public:
  TestAgent(const std::string& server, char id, const std::string& name, Seen& seen) {
    LinkClientOptions options;
    options.server_url = "http://" + server;
    options.hello.node_id = std::string(32, id);
    options.hello.name = name;
    options.hello.boot_id = "boot-" + name;
    options.hello.capabilities = {"mesh"};
    options.hello.probe_address = ":9";
    options.first_wait_ms = 10;
    LinkClientHooks hooks;
    hooks.accepted = [&seen](const HelloReply&) { seen.add("accepted"); };
    hooks.refused = [&seen](const HelloReply& reply) {
      seen.add("refused " + std::string(refusal_name(reply.refusal)));
    };
    hooks.unreachable = [&seen](const Error&) { seen.add("unreachable"); };
    hooks.lost = [&seen](const std::string&) { seen.add("lost"); };
    hooks.pace = [&seen](int64_t ms) { seen.add("pace " + std::to_string(ms)); };
    hooks.peers = [&seen](const Peers& peers) {
      seen.add("peers " + std::to_string(peers.peers.size()));
    };
    hooks.drain = [&seen](const std::string& reason) { seen.add("drain " + reason); };
    hooks.load = [] { return LoadDigest{.cpu_permille = 250}; };
    auto echo = net::EchoSocket::open(io_.context(0), "127.0.0.1:0", clock_, random_, registry_);
    EXPECT_TRUE(echo);
    echo_ = std::move(*echo);
    options.echo = echo_.get();
    io_.start();
    link_ = std::make_unique<LinkClient>(std::move(options), std::move(hooks), client_, io_, clock_,
                                         random_, registry_);
    link_->start();
  }
  ~TestAgent() {
    link_->stop();
    io_.stop();
  }
  LinkClient& link() { return *link_; }

 private:
  SystemClock clock_;
  SystemRandom random_;
  Registry registry_;
  net::Client client_{{.proxy_from_environment = false}, real_file_system()};
  net::IoThreads io_{1};
  std::unique_ptr<net::EchoSocket> echo_;
  std::unique_ptr<LinkClient> link_;
};

model::NodeId id_of(char digit) { return {std::string(32, digit)}; }

TEST(Link, ConnectsBeatsAndSaysGoodbye) {
  Seen server_saw, agent_saw;
  TestServer server(server_saw);
  {
    TestAgent agent(server.address(), 'a', "n1", agent_saw);
    ASSERT_TRUE(agent_saw.wait("accepted"));
    EXPECT_TRUE(server_saw.wait("connected n1"));
    EXPECT_TRUE(server_saw.wait("clocks", 3));
    const auto node = server.link().nodes().node(id_of('a'));
    ASSERT_TRUE(node);
    EXPECT_EQ(node->state, model::NodeState::kUp);
    EXPECT_EQ(node->address, "127.0.0.1");
    const auto reading = server.link().nodes().records()[0].clocks;
    ASSERT_TRUE(reading);
    // One clock on both sides: the offset is no more than the way there.
    EXPECT_LE(std::abs(reading->offset_ns), reading->round_trip_ns / 2 + 1);
  }
  EXPECT_TRUE(server_saw.wait("disconnected left goodbye"));
  EXPECT_EQ(server.link().nodes().node(id_of('a'))->state, model::NodeState::kLeft);
}

// More than are heard at once: the others are read in turns.
TEST(Link, ManyBeatHaveGoodClocksAndSayGoodbye) {
  constexpr int kMany = 40;
  Seen server_saw;
  TestServer server(server_saw);
  const SystemClock clock;
  SystemRandom random;
  Registry registry;
  net::Client client({.max_connections_per_host = kMany + 1, .proxy_from_environment = false},
                     real_file_system());
  net::IoThreads io(1);
  io.start();
  std::vector<std::unique_ptr<LinkClient>> agents;
  for (int i = 0; i < kMany; ++i) {
    LinkClientOptions options;
    options.server_url = "http://" + server.address();
    options.hello.node_id = fmt::format("{:032x}", i);
    options.hello.name = fmt::format("many-{}", i);
    options.hello.boot_id = "boot";
    agents.push_back(std::make_unique<LinkClient>(std::move(options), LinkClientHooks{}, client, io,
                                                  clock, random, registry));
    agents.back()->start();
  }
  ASSERT_TRUE(server_saw.wait("connected many-", kMany));
  const auto with_clocks = [&server] {
    const auto records = server.link().nodes().records();
    return std::count_if(records.begin(), records.end(),
                         [](const NodeRecord& one) { return one.clocks.has_value(); });
  };
  for (int seen = 1; with_clocks() < kMany; ++seen) ASSERT_TRUE(server_saw.wait("clocks", seen));
  for (const NodeRecord& record : server.link().nodes().records()) {
    EXPECT_LE(std::abs(record.clocks->offset_ns), record.clocks->round_trip_ns / 2 + 1);
  }
  agents.clear();
  EXPECT_TRUE(server_saw.wait("disconnected left goodbye", kMany));
  io.stop();
}

TEST(Link, CarriesChecksEventsProbesAndWhatTheServerMaySay) {
  Seen server_saw, agent_saw;
  TestServer server(server_saw);
  TestAgent agent(server.address(), 'a', "n1", agent_saw);
  agent.link().send(CheckResult{.check = "disk"});  // queued, perhaps before it is connected
  agent.link().send(NodeEvent{.kind = "gpu.lost"});
  EXPECT_TRUE(server_saw.wait("check disk"));
  EXPECT_TRUE(server_saw.wait("event gpu.lost"));
  ASSERT_TRUE(server.link().probe(id_of('a'), server.address(), 5000));
  EXPECT_TRUE(server_saw.wait("probe reached"));
  ASSERT_TRUE(server.link().probe(id_of('a'), "127.0.0.1:1", 5000));
  EXPECT_TRUE(server_saw.wait("probe: connect to 127.0.0.1:1"));
  ASSERT_TRUE(server.link().look(id_of('a')));
  EXPECT_TRUE(agent_saw.wait("pace 1000"));
  ASSERT_TRUE(server.link().drain(id_of('a'), "update"));
  EXPECT_TRUE(agent_saw.wait("drain update"));
  EXPECT_TRUE(server_saw.wait("drained"));
  EXPECT_EQ(server.link().nodes().node(id_of('a'))->state, model::NodeState::kDraining);
  EXPECT_TRUE(agent_saw.wait("peers 1"));
  EXPECT_FALSE(server.link().look(id_of('b')));
}

TEST(Link, ABeatCarriesTheLoadAndFactsFollowTheHello) {
  Seen server_saw, agent_saw;
  TestServer server(server_saw);
  TestAgent agent(server.address(), 'a', "n1", agent_saw);
  agent.link().set_facts({{{"kernel", "6.1"}}});  // perhaps before it is connected
  EXPECT_TRUE(server_saw.wait("fact kernel 6.1"));
  agent.link().set_facts({{{"kernel", "6.2"}}});
  EXPECT_TRUE(server_saw.wait("fact kernel 6.2"));
  EXPECT_TRUE(server_saw.wait("load 250", 3));
}

TEST(Link, PeersAreAskedByEcho) {
  Seen server_saw, agent_saw, peer_saw;
  TestServer server(server_saw);
  TestAgent agent(server.address(), 'a', "n1", agent_saw);
  auto peer = std::make_unique<TestAgent>(server.address(), 'b', "n2", peer_saw);
  ASSERT_TRUE(agent_saw.wait("accepted"));
  ASSERT_TRUE(peer_saw.wait("accepted"));
  const std::string address = server.link().nodes().records()[1].echo_address;
  ASSERT_TRUE(server.link().echo(id_of('a'), address, 20, 40));
  EXPECT_TRUE(server_saw.wait("echo answered done"));
  EXPECT_EQ(server_saw.count("echo answered"), 2U) << "with the first answer and at the end";
  const auto cancelled = server.link().echo(id_of('a'), address, 1000, 30'000);
  ASSERT_TRUE(cancelled);
  EXPECT_TRUE(server_saw.wait("echo answered", 3));
  ASSERT_TRUE(server.link().stop_echo(id_of('a'), *cancelled));
  EXPECT_TRUE(server_saw.wait("echo answered done", 2));
  peer.reset();
  ASSERT_TRUE(server.link().echo(id_of('a'), address, 20, 40));
  EXPECT_TRUE(server_saw.wait("echo unanswered done"));
  ASSERT_TRUE(server.link().echo(id_of('a'), "nowhere:1", 20, 40));
  EXPECT_TRUE(server_saw.wait("echo unanswered doneecho to nowhere:1"));
  EXPECT_FALSE(server.link().echo(id_of('c'), address, 20, 40));
}

TEST(Link, ATakenNameIsRefusedUntilItIsFree) {
  Seen server_saw, first_saw, second_saw;
  TestServer server(server_saw);
  auto first = std::make_unique<TestAgent>(server.address(), 'a', "n1", first_saw);
  ASSERT_TRUE(first_saw.wait("accepted"));
  {
    TestAgent second(server.address(), 'b', "n1", second_saw);
    ASSERT_TRUE(second_saw.wait("refused name_taken"));
    EXPECT_EQ(first_saw.count("lost"), 0U);
  }
  first.reset();
  ASSERT_TRUE(server_saw.wait("disconnected left goodbye"));
  TestAgent second(server.address(), 'b', "n1", second_saw);
  EXPECT_TRUE(second_saw.wait("accepted"));
}

TEST(Link, ConnectsAgainWhenTheServerComesBack) {
  Seen server_saw, agent_saw;
  auto server = std::make_unique<TestServer>(server_saw);
  const std::string address = server->address();
  TestAgent agent(address, 'a', "n1", agent_saw);
  ASSERT_TRUE(agent_saw.wait("accepted"));
  server.reset();
  EXPECT_TRUE(agent_saw.wait("lost"));
  EXPECT_TRUE(agent_saw.wait("unreachable"));
  agent.link().send(NodeEvent{.kind = "while.away"});
  server = std::make_unique<TestServer>(server_saw, address);
  EXPECT_TRUE(agent_saw.wait("accepted", 2));
  EXPECT_TRUE(server_saw.wait("event while.away"));
}

TEST(Link, StopsWhileTheServerIsAway) {
  Seen seen;
  TestAgent agent("127.0.0.1:1", 'a', "n1", seen);
  EXPECT_TRUE(seen.wait("unreachable", 2));
}

TEST(Link, MalformedMessagesEndTheConnectionAlone) {
  Seen server_saw, agent_saw;
  TestServer server(server_saw);
  TestAgent agent(server.address(), 'a', "n1", agent_saw);
  ASSERT_TRUE(agent_saw.wait("accepted"));
  net::IoThreads io(1);
  io.start();
  net::Client client({.proxy_from_environment = false}, real_file_system());
  Seen peer;
  boost::asio::co_spawn(
      io.next(),
      [&]() -> boost::asio::awaitable<void> {
        for (const char* bytes : {"\xff\xff\xff", "\x04\x1a\x02\x08\x05", ""}) {
          auto socket = co_await client.connect_websocket(
              {.url = "ws://" + server.address() + "/api/binnacle/v1/link"}, {});
          if (!socket) co_return peer.add("no connection");
          (void)co_await (*socket)->write_binary(bytes);
          if (*bytes == 0) (void)co_await (*socket)->write_text("hi");
          const auto answer = co_await (*socket)->read();
          peer.add(answer ? "answered" : "closed");
        }
      },
      boost::asio::detached);
  EXPECT_TRUE(peer.wait("closed", 3));
  EXPECT_EQ(agent_saw.count("lost"), 0U);
  io.stop();
}

}  // namespace
}  // namespace binnacle::link
