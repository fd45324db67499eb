// How often the failure detector takes a living node for dead: a simulated day of a cluster whose
// nodes pause for 2 s once a minute on average and whose network loses 5 % of packets each way,
// with TCP's retransmission modelled. Usage: detect_false_downs [SEEDS] [HOURS] [NODES] [LOSS]
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "watch/heartbeat/testing/cluster_simulator.h"

namespace {

using namespace binnacle::watch::heartbeat;

double argument(int argc, char** argv, int i, double otherwise) {
  return argc > i ? std::atof(argv[i]) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  const auto seeds = static_cast<uint64_t>(argument(argc, argv, 1, 3));
  const double hours = argument(argc, argv, 2, 24);
  uint64_t false_downs = 0;
  uint64_t suspicions = 0;
  uint64_t beats = 0;
  double node_hours = 0;
  double seconds = 0;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    SimOptions options;
    options.seed = seed;
    options.nodes = static_cast<uint32_t>(argument(argc, argv, 3, 100));
    options.loss = argument(argc, argv, 4, 0.05);
    const auto began = std::chrono::steady_clock::now();
    ClusterSimulator cluster(options);
    const SimReport& report = cluster.run(static_cast<int64_t>(hours * 3'600'000));
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    false_downs += report.false_downs;
    suspicions += report.counts.suspicions;
    beats += report.beats;
    node_hours += hours * options.nodes;
    for (const std::string& note : report.notes)
      std::printf("  seed %lu: %s\n", seed, note.c_str());
    std::fflush(stdout);
  }
  std::printf(
      "false downs: %lu in %.0f node-hours (%lu seeds, %lu beats); %.1f suspicions per node-hour; "
      "%.1f s of computing\n",
      false_downs, node_hours, seeds, beats, static_cast<double>(suspicions) / node_hours, seconds);
  return false_downs == 0 ? 0 : 1;
}
