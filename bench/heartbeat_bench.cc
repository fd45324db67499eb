// What failure detection costs the server: a thousand nodes, each beating four times a second and
// suspected now and then, through the heartbeat with its book-keeping. Prints the share of a core
// and the memory. Usage: heartbeat_bench [NODES] [SIMULATED_SECONDS]
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <malloc.h>

#include "watch/heartbeat/heartbeat.h"

namespace {

using namespace binnacle;
using namespace binnacle::watch::heartbeat;

class NobodyAsked final : public Confirmers {
 public:
  Result<uint64_t> probe(const model::NodeId&, const std::string&, int64_t) override {
    return ++last_;
  }
  Result<uint64_t> echo(const model::NodeId&, const std::string&, int64_t, int64_t) override {
    return ++last_;
  }
  void stop_echo(const model::NodeId&, uint64_t) override {}
  void probe_here(const std::string&, int64_t, OnProbe) override {}
  Result<uint64_t> echo_here(const std::string&, int64_t, int64_t, OnEcho) override {
    return ++last_;
  }
  void stop_echo_here(uint64_t) override {}

 private:
  uint64_t last_ = 0;
};

class NoEvents final : public model::EventBus {
 public:
  Result<int64_t> publish(model::Event) override { return 1; }
  Result<uint64_t> subscribe(std::string, std::string, Deliver) override { return 1; }
  void unsubscribe(uint64_t) override {}
  Result<std::vector<model::Event>> recent(std::string_view, int64_t, size_t) override {
    return std::vector<model::Event>();
  }
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

int main(int argc, char** argv) {
  const int nodes = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 120;
  const size_t before = mallinfo2().uordblks;
  (void)configure_logging({.level = LogLevel::kError});
  SimulatedClock clock;
  Registry registry;
  NobodyAsked confirmers;
  NoEvents events;
  ThreadPool pool("pool", 1, 4096);
  link::NodeTable table(clock, 100'000);
  Heartbeat heartbeat({}, {table, confirmers, events, pool, clock, registry, {}});
  std::vector<model::Node> all;
  std::vector<link::BeatTimes> beats;
  for (int i = 0; i < nodes; ++i) {
    link::Hello hello;
    hello.node_id = std::string(24, 'a') + std::to_string(10'000'000 + i);
    hello.name = "node-" + std::to_string(i);
    hello.boot_id = "boot";
    hello.probe_address = ":9000";
    hello.echo_address = ":9001";
    const uint64_t session = static_cast<uint64_t>(i) + 1;
    const link::Admission admission = table.admit(hello, session, "10.0.0.1", 0);
    all.push_back(admission.node);
    beats.push_back({.session = session, .place = admission.place});
    heartbeat.connected(all.back());
  }
  uint64_t count = 0;
  const double began = cpu_seconds();
  for (int64_t ms = 0; ms < int64_t{seconds} * 1000; ms += 50) {
    clock.advance_ms(50);
    for (size_t i = 0; i < all.size(); ++i) {
      const int64_t mine = ms + static_cast<int64_t>(i % 5) * 50;
      // One in forty times a node skips three beats, so that it is suspected.
      if (mine % 250 != 0 || (mine / 250 + static_cast<int64_t>(i)) % 120 < 3) continue;
      ++beats[i].number;
      heartbeat.beat(all[i].id, beats[i]);
      ++count;
    }
    heartbeat.tick();
  }
  const double cpu = cpu_seconds() - began;
  const double memory = static_cast<double>(mallinfo2().uordblks - before) / (1 << 20);
  std::printf(
      "%d nodes: %.2f %% of a core (%.2f us a beat, ticks and suspicions included), %.1f MB\n",
      nodes, 100 * cpu / seconds, 1e6 * cpu / static_cast<double>(count), memory);
  pool.stop();
  return 0;
}
