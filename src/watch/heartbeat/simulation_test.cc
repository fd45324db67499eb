// The detector against simulated clusters, many seeds of them. BINNACLE_SIMULATION_SEEDS and
// BINNACLE_SIMULATION_MINUTES (of simulated time) make it as long as one likes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "watch/heartbeat/testing/cluster_simulator.h"

namespace binnacle::watch::heartbeat {
namespace {

int64_t number_from(const char* variable, int64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::max<int64_t>(std::atoll(text), 1);
}

// Sanitizers make it slow; what they look for shows in fewer.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int64_t kFewer = 10;
#else
constexpr int64_t kFewer = 1;
#endif

int64_t seeds(int64_t otherwise) {
  return number_from("BINNACLE_SIMULATION_SEEDS", otherwise / kFewer);
}
int64_t run_ms(int64_t otherwise) {
  return number_from("BINNACLE_SIMULATION_MINUTES", otherwise) * 60'000;
}

std::string text(const SimReport& report) {
  std::string all;
  for (const std::string& note : report.notes) all += note + "\n";
  return all;
}

int64_t share(std::vector<int64_t> values, double at) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(at * static_cast<double>(values.size() - 1))];
}

TEST(SimulationTest, NoNodeThatLivesIsDown) {
  SimReport all;
  for (int64_t seed = 1; seed <= seeds(200); ++seed) {
    SimOptions options;
    options.seed = static_cast<uint64_t>(seed);
    ClusterSimulator cluster(options);
    const SimReport& report = cluster.run(run_ms(2));
    ASSERT_EQ(report.false_downs, 0u) << "seed " << seed << "\n" << text(report);
    ASSERT_EQ(report.wrong_changes, 0u) << "seed " << seed << "\n" << text(report);
    ASSERT_GT(report.beats, options.nodes * 100);
    all.counts.false_alarms += report.counts.false_alarms;
  }
  EXPECT_GT(all.counts.false_alarms, 100u);  // it was not for want of suspicion
}

TEST(SimulationTest, EveryDeathIsFoundAndNothingElse) {
  SimReport all;
  for (int64_t seed = 1; seed <= seeds(200); ++seed) {
    SimOptions options;
    options.seed = static_cast<uint64_t>(seed) + 1'000'000;
    options.nodes = static_cast<uint32_t>(5 + seed % 36);
    options.loss = seed % 2 == 0 ? 0.05 : 0.01;
    options.unprobed = options.nodes / 2;
    options.crashes_per_hour = 120;
    options.cuts_per_hour = 120;
    options.short_cuts_per_hour = 120;
    options.half_cuts_per_hour = 60;
    options.server_pauses_per_hour = 60;
    options.server_cuts_per_hour = 30;
    options.clock_jumps_per_hour = 60;
    ClusterSimulator cluster(options);
    const SimReport& report = cluster.run(run_ms(5));
    ASSERT_EQ(report.false_downs, 0u) << "seed " << seed << "\n" << text(report);
    ASSERT_EQ(report.wrong_changes, 0u) << "seed " << seed << "\n" << text(report);
    ASSERT_EQ(report.missed, 0u) << "seed " << seed << "\n" << text(report);
    all.crash_ms.insert(all.crash_ms.end(), report.crash_ms.begin(), report.crash_ms.end());
    all.cut_ms.insert(all.cut_ms.end(), report.cut_ms.begin(), report.cut_ms.end());
  }
  ASSERT_GT(all.crash_ms.size(), 20u);
  ASSERT_GT(all.cut_ms.size(), 20u);
  RecordProperty("crash_median_ms", std::to_string(share(all.crash_ms, 0.5)));
  EXPECT_LE(share(all.crash_ms, 0.5), 300);
  // Pauses of the server among them.
  EXPECT_LE(share(all.crash_ms, 0.9), 1'000);
  EXPECT_LE(share(all.cut_ms, 0.5), 3'000);
  EXPECT_LE(share(all.cut_ms, 0.9), 6'000);
}

TEST(SimulationTest, FoundInTimeOnAGoodNetwork) {
  SimReport all;
  for (int64_t seed = 1; seed <= seeds(50); ++seed) {
    SimOptions options;
    options.seed = static_cast<uint64_t>(seed) + 2'000'000;
    options.nodes = 8;
    options.unprobed = 4;
    options.loss = 0;
    options.stalls_per_hour = 0;
    options.crashes_per_hour = 60;
    options.cuts_per_hour = 60;
    ClusterSimulator cluster(options);
    const SimReport& report = cluster.run(run_ms(10));
    ASSERT_EQ(report.false_downs + report.missed + report.wrong_changes, 0u) << text(report);
    all.crash_ms.insert(all.crash_ms.end(), report.crash_ms.begin(), report.crash_ms.end());
    all.cut_ms.insert(all.cut_ms.end(), report.cut_ms.begin(), report.cut_ms.end());
  }
  ASSERT_GT(all.crash_ms.size(), 20u);
  ASSERT_GT(all.cut_ms.size(), 20u);
  EXPECT_LE(share(all.crash_ms, 0.5), 300);
  EXPECT_LE(share(all.crash_ms, 0.99), 1'000);
  EXPECT_LE(share(all.cut_ms, 0.99), 3'000);
}

TEST(SimulationTest, TheSameSeedIsTheSameStory) {
  SimOptions options;
  options.crashes_per_hour = 120;
  ClusterSimulator one(options);
  ClusterSimulator other(options);
  const SimReport a = one.run(120'000);
  const SimReport b = other.run(120'000);
  EXPECT_EQ(a.beats, b.beats);
  EXPECT_EQ(a.counts.suspicions, b.counts.suspicions);
  EXPECT_EQ(a.crash_ms, b.crash_ms);
}

}  // namespace
}  // namespace binnacle::watch::heartbeat
