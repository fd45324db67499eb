// The parts that read one small file or a few: what each makes of good and of broken content.
#include <gtest/gtest.h>

#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::host {
namespace {

TEST(MeminfoPart, TellsEveryFieldInBytes) {
  const RecordedTree tree;
  tree.write("proc/meminfo",
             "MemTotal:       24682416 kB\nActive(anon):  2 kB\nHugePages_Total:  3\n");
  PartRunner runner(meminfo_part(tree.source()));
  const Samples wanted{{"node_memory_MemTotal_bytes", 24682416.0 * 1024},
                       {"node_memory_Active_anon_bytes", 2048},
                       {"node_memory_HugePages_Total", 3}};
  EXPECT_EQ(runner.run(), wanted);
  EXPECT_EQ(runner.run(), wanted);
  EXPECT_TRUE(runner.succeeded());
  for (const char* bad :
       {"", "MemTotal 5 kB\n", "MemTotal: kB\n", "MemTotal: 5 MB\n", "MemTotal: nan kB\n"}) {
    tree.write("proc/meminfo", bad);
    runner.run();
    EXPECT_FALSE(runner.succeeded()) << bad;
  }
}

TEST(LoadavgPart, TellsThreeLoads) {
  const RecordedTree tree;
  tree.write("proc/loadavg", "0.01 0.03 12.5 1/95 7776\n");
  PartRunner runner(loadavg_part(tree.source()));
  EXPECT_EQ(runner.run(),
            (Samples{{"node_load1", 0.01}, {"node_load5", 0.03}, {"node_load15", 12.5}}));
  tree.write("proc/loadavg", "0.01 x\n");
  EXPECT_EQ(runner.run().at("node_load1"), 0.01);
  EXPECT_FALSE(runner.succeeded());
}

TEST(PressurePart, TellsTotalsInSecondsAndNoStallOfTheCpu) {
  const RecordedTree tree;
  for (const char* resource : {"cpu", "memory", "io"}) {
    tree.write(std::string("proc/pressure/") + resource,
               "some avg10=0.17 avg60=0.36 avg300=0.39 total=14315064\n"
               "full avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\n");
  }
  PartRunner runner(pressure_part(tree.source()));
  const Samples samples = runner.run();
  EXPECT_EQ(samples.size(), 5u);
  EXPECT_NEAR(samples.at("node_pressure_cpu_waiting_seconds_total"), 14.315064, 1e-9);
  EXPECT_NEAR(samples.at("node_pressure_io_stalled_seconds_total"), 2, 1e-9);
  tree.write("proc/pressure/io", "some avg10=0.17\n");
  runner.run();
  EXPECT_FALSE(runner.succeeded());
}

TEST(PressurePart, AKernelWithoutPsiIsNoFailure) {
  const RecordedTree tree;
  PartRunner runner(pressure_part(tree.source()));
  EXPECT_TRUE(runner.run().empty());
  EXPECT_TRUE(runner.succeeded());
}

TEST(FilefdPart, TellsAllocatedAndMaximum) {
  const RecordedTree tree;
  tree.write("proc/sys/fs/file-nr", "592\t0\t2465620\n");
  PartRunner runner(filefd_part(tree.source()));
  EXPECT_EQ(runner.run(),
            (Samples{{"node_filefd_allocated", 592}, {"node_filefd_maximum", 2465620}}));
  tree.write("proc/sys/fs/file-nr", "592\t0\n");
  runner.run();
  EXPECT_FALSE(runner.succeeded());
}

TEST(VmstatPart, KeepsPagingSwappingFaultsAndOomKills) {
  const RecordedTree tree;
  tree.write("proc/vmstat",
             "nr_free_pages 1\npgpgin 2\npswpout 3\npgmajfault 4\noom_kill 5\npgalloc_dma 6\n");
  PartRunner runner(vmstat_part(tree.source()));
  EXPECT_EQ(runner.run(), (Samples{{"node_vmstat_pgpgin", 2},
                                   {"node_vmstat_pswpout", 3},
                                   {"node_vmstat_pgmajfault", 4},
                                   {"node_vmstat_oom_kill", 5}}));
  tree.write("proc/vmstat", "pgpgin\npswpout 3\n");
  EXPECT_EQ(runner.run().at("node_vmstat_pswpout"), 3);
  EXPECT_FALSE(runner.succeeded());
}

TEST(ValueFilesParts, TellOneNumberAFileAndNothingWhereItIsNotOffered) {
  const RecordedTree tree;
  tree.write("proc/sys/kernel/random/entropy_avail", "256\n");
  PartRunner entropy(entropy_part(tree.source()));
  EXPECT_EQ(entropy.run(), (Samples{{"node_entropy_available_bits", 256}}));
  EXPECT_TRUE(entropy.succeeded());
  tree.write("proc/sys/kernel/random/entropy_avail", "lots\n");
  entropy.run();
  EXPECT_FALSE(entropy.succeeded());

  tree.write("proc/sys/net/netfilter/nf_conntrack_count", "3\n");
  tree.write("proc/sys/net/netfilter/nf_conntrack_max", "262144\n");
  PartRunner conntrack(conntrack_part(tree.source()));
  EXPECT_EQ(conntrack.run(), (Samples{{"node_nf_conntrack_entries", 3},
                                      {"node_nf_conntrack_entries_limit", 262144}}));
}

TEST(ThermalZonePart, TellsDegrees) {
  const RecordedTree tree;
  tree.write("sys/class/thermal/thermal_zone10/type", "x86_pkg_temp\n");
  tree.write("sys/class/thermal/thermal_zone10/temp", "45500\n");
  tree.write("sys/class/thermal/thermal_zone1/type", "off\n");  // cannot be read
  tree.write("sys/class/thermal/cooling_device0/type", "Processor\n");
  PartRunner runner(thermal_zone_part(tree.source()));
  EXPECT_EQ(runner.run(),
            (Samples{{R"(node_thermal_zone_temp{type="x86_pkg_temp", zone="10"})", 45.5}}));
  EXPECT_TRUE(runner.succeeded());
  tree.remove("sys/class/thermal");
  runner.run();
  EXPECT_TRUE(runner.succeeded());
}

TEST(CpufreqPart, TellsHertzOfCpusAlone) {
  const RecordedTree tree;
  tree.write("sys/devices/system/cpu/cpu12/cpufreq/scaling_cur_freq", "2400000\n");
  tree.write("sys/devices/system/cpu/cpu0/topology/core_id", "0\n");
  tree.write("sys/devices/system/cpu/cpufreq/scaling_cur_freq", "1\n");
  PartRunner runner(cpufreq_part(tree.source()));
  EXPECT_EQ(runner.run(), (Samples{{R"(node_cpu_scaling_frequency_hertz{cpu="12"})", 2.4e9}}));
}

TEST(UnamePart, NamesTheRunningKernel) {
  PartRunner runner(uname_part());
  const Samples samples = runner.run();
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_NE(samples.begin()->first.find(R"(sysname="Linux")"), std::string::npos);
}

TEST(OsReleasePart, UndoesQuotesAndTakesMajorAndMinor) {
  const RecordedTree tree;
  tree.write(
      "root/etc/os-release",
      "# comment\nNAME=\"Some \\\"OS\\\"\"\nID=some\nVERSION_ID='22.04.3'\nID_LIKE=\"a b\"\n");
  PartRunner runner(os_release_part(tree.source()));
  EXPECT_EQ(
      runner.run(),
      (Samples{
          {R"(node_os_info{id="some", id_like="a b", name="Some \"OS\"", version_id="22.04.3"})",
           1},
          {R"(node_os_version{id="some", id_like="a b", name="Some \"OS\""})", 22.04}}));
}

TEST(OsReleasePart, FallsBackToUsrAndDoesWithoutEither) {
  const RecordedTree tree;
  PartRunner runner(os_release_part(tree.source()));
  EXPECT_TRUE(runner.run().empty());
  EXPECT_TRUE(runner.succeeded());
  tree.write("root/usr/lib/os-release", "ID=rolling\n");
  EXPECT_EQ(runner.run(), (Samples{{R"(node_os_info{id="rolling"})", 1}}));
}

TEST(ProcessesPart, CountsStatesAndThreadsWhateverTheNames) {
  const RecordedTree tree;
  const auto process = [&](int pid, const char* name, const char* state, int threads) {
    tree.write("proc/" + std::to_string(pid) + "/stat",
               std::to_string(pid) + " (" + name + ") " + state +
                   " 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 " + std::to_string(threads) + " 0 5\n");
  };
  process(1, "init", "S", 1);
  process(2, "evil) R 9 (", "S", 3);
  process(30, "busy", "R", 10);
  std::filesystem::create_directories(tree.path("proc/31"));  // ended while we read
  tree.write("proc/self/stat", "x");
  tree.write("proc/sys/kernel/pid_max", "32768\n");
  tree.write("proc/sys/kernel/threads-max", "1000\n");
  PartRunner runner(processes_part(tree.source()));
  EXPECT_EQ(runner.run(), (Samples{{"node_processes_pids", 3},
                                   {"node_processes_threads", 14},
                                   {R"(node_processes_state{state="S"})", 2},
                                   {R"(node_processes_state{state="R"})", 1},
                                   {"node_processes_max_processes", 32768},
                                   {"node_processes_max_threads", 1000}}));
  EXPECT_TRUE(runner.succeeded());
  tree.write("proc/30/stat", "30 busy\n");
  EXPECT_EQ(runner.run().at("node_processes_pids"), 2);
  EXPECT_FALSE(runner.succeeded());
}

TEST(ProcessesPart, OfVeryManyProcessesOnlyTotalsAreTold) {
  const RecordedTree tree;
  for (int pid = 1; pid <= 3; ++pid) {
    std::filesystem::create_directory(tree.path("proc/" + std::to_string(pid)));
  }
  tree.write("proc/loadavg", "0 0 0 1/9500 1\n");
  tree.write("proc/sys/kernel/pid_max", "32768\n");
  tree.write("proc/sys/kernel/threads-max", "1000\n");
  PartRunner runner(processes_part(tree.source(), 2));
  const Samples samples = runner.run();
  EXPECT_EQ(samples.at("node_processes_pids"), 3);
  EXPECT_EQ(samples.at("node_processes_threads"), 9500);
  EXPECT_EQ(samples.size(), 4u);
}

TEST(HwmonPart, NamesChipsByTheirPlaceAndScalesByType) {
  const RecordedTree tree;
  const std::string device = "sys/devices/platform/coretemp.0/";
  tree.write(device + "hwmon/hwmon3/name", "coretemp\n");
  tree.write(device + "hwmon/hwmon3/temp1_input", "45000\n");
  tree.write(device + "hwmon/hwmon3/temp1_label", "Package id 0\n");
  tree.write(device + "hwmon/hwmon3/fan2_input", "1200\n");
  tree.write(device + "hwmon/hwmon3/power1_average", "65000000\n");
  tree.write(device + "hwmon/hwmon3/temp1_emergency_hyst", "1\n");
  std::filesystem::create_directory_symlink("../..", tree.path(device + "hwmon/hwmon3/device"));
  std::filesystem::create_directories(tree.path("sys/class/hwmon"));
  std::filesystem::create_directory_symlink("../../devices/platform/coretemp.0/hwmon/hwmon3",
                                            tree.path("sys/class/hwmon/hwmon3"));
  PartRunner runner(hwmon_part(tree.source()));
  const std::string chip = R"({chip="platform_coretemp_0", )";
  EXPECT_EQ(
      runner.run(),
      (Samples{{"node_hwmon_chip_names" + chip + R"(chip_name="coretemp"})", 1},
               {"node_hwmon_temp_celsius" + chip + R"(sensor="temp1"})", 45},
               {"node_hwmon_sensor_label" + chip + R"(label="package_id_0", sensor="temp1"})", 1},
               {"node_hwmon_fan_rpm" + chip + R"(sensor="fan2"})", 1200},
               {"node_hwmon_power_average_watt" + chip + R"(sensor="power1"})", 65}}));
  EXPECT_TRUE(runner.succeeded());
  tree.write(device + "hwmon/hwmon3/temp1_input", "hot\n");
  runner.run();
  EXPECT_FALSE(runner.succeeded());
}

TEST(HwmonPart, AMachineWithoutSensorsIsNoFailure) {
  const RecordedTree tree;
  PartRunner runner(hwmon_part(tree.source()));
  EXPECT_TRUE(runner.run().empty());
  EXPECT_TRUE(runner.succeeded());
}

}  // namespace
}  // namespace binnacle::collect::host
