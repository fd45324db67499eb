#include <gtest/gtest.h>

#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::host {
namespace {

constexpr std::string_view kTwoCpus =
    "cpu  30 0 0 0 0 0 0 0 0 0\n"
    "cpu0 1000 200 300 4000 50 6 7 8 9 10\n"
    "cpu1 1 2 3 400 5 6 7 8 9 10\n"
    "intr 295855 0 1 2\nctxt 545592\nbtime 1795229811\nprocesses 7775\n"
    "procs_running 1\nprocs_blocked 2\nsoftirq 1 2 3\n";

TEST(StatPart, TellsSecondsByCpuAndModeAndTheKernelsCounters) {
  const RecordedTree tree;
  tree.write("proc/stat", kTwoCpus);
  PartRunner runner(stat_part(tree.source()));
  const Samples samples = runner.run();
  EXPECT_TRUE(runner.succeeded());
  EXPECT_EQ(samples.size(), 2u * 10 + 6);
  EXPECT_EQ(samples.at(R"(node_cpu_seconds_total{cpu="0", mode="user"})"), 10);
  EXPECT_EQ(samples.at(R"(node_cpu_seconds_total{cpu="0", mode="steal"})"), 0.08);
  EXPECT_EQ(samples.at(R"(node_cpu_seconds_total{cpu="1", mode="idle"})"), 4);
  EXPECT_EQ(samples.at(R"(node_cpu_guest_seconds_total{cpu="0", mode="nice"})"), 0.1);
  EXPECT_EQ(samples.at("node_intr_total"), 295855);
  EXPECT_EQ(samples.at("node_context_switches_total"), 545592);
  EXPECT_EQ(samples.at("node_boot_time_seconds"), 1795229811);
  EXPECT_EQ(samples.at("node_forks_total"), 7775);
  EXPECT_EQ(samples.at("node_procs_running"), 1);
  EXPECT_EQ(samples.at("node_procs_blocked"), 2);
}

TEST(StatPart, ACpuThatIsUnpluggedGetsStaleMarkersOnce) {
  const RecordedTree tree;
  tree.write("proc/stat", kTwoCpus);
  PartRunner runner(stat_part(tree.source()));
  runner.run();
  tree.write("proc/stat", "cpu0 1 2 3 4 5 6 7 8 9 10\n");
  const Samples gone = runner.run();
  EXPECT_TRUE(model::is_stale(gone.at(R"(node_cpu_seconds_total{cpu="1", mode="idle"})")));
  EXPECT_FALSE(model::is_stale(gone.at(R"(node_cpu_seconds_total{cpu="0", mode="idle"})")));
  EXPECT_EQ(runner.run().size(), 10u);
}

TEST(StatPart, HoldsSmallStepsBackAndFollowsResets) {
  const RecordedTree tree;
  const std::string idle = R"(node_cpu_seconds_total{cpu="0", mode="idle"})";
  PartRunner runner(stat_part(tree.source()));
  const auto at = [&](const char* ticks) {
    tree.write("proc/stat", std::string("cpu0 0 0 0 ") + ticks + "\n");
    return runner.run().at(idle);
  };
  EXPECT_EQ(at("1000"), 10);
  EXPECT_EQ(at("998"), 10);  // the kernel's idle may step back; a counter must not
  EXPECT_EQ(at("1001"), 10.01);
  EXPECT_EQ(at("500"), 5);  // a CPU that was away begins anew
}

TEST(StatPart, ABadLineCostsTheGoodOnesNothing) {
  const RecordedTree tree;
  tree.write("proc/stat",
             "cpuX 1 2 3 4\ncpu1 1 2 x 4\ncpu-1 1 2 3 4\ncpu99999999 1 2 3 4\ncpu2 100 2 3 4\nctxt "
             "many\nintr 5\n");
  PartRunner runner(stat_part(tree.source()));
  const Samples samples = runner.run();
  EXPECT_FALSE(runner.succeeded());
  EXPECT_EQ(samples.at(R"(node_cpu_seconds_total{cpu="2", mode="user"})"), 1);
  EXPECT_EQ(samples.at("node_intr_total"), 5);
  EXPECT_FALSE(samples.contains("node_context_switches_total"));
  tree.write("proc/stat", "");
  runner.run();
  EXPECT_FALSE(runner.succeeded());
}

}  // namespace
}  // namespace binnacle::collect::host
