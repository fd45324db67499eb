#include "collect/container/container_parts.h"

#include <gmock/gmock.h>

#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::container {
namespace {

using host::PartsRunner;
using host::RecordedTree;
using host::Samples;

const std::string kId(64, 'a');
const std::string kOtherId(64, 'b');

class KnownNames final : public NameSource {
 public:
  Result<std::map<std::string, ContainerName>> names() override {
    return parse_docker_list(R"([{"Id": ")" + kId +
                             R"(", "Names": ["/web"], "Image": "nginx:1.25", "Labels": {}}])");
  }
};

class ContainerPartsTest : public testing::Test {
 protected:
  void write(const std::string& cgroup, const std::string& file, std::string_view text) {
    tree_.write("sys/fs/cgroup" + cgroup + "/" + file, text);
  }
  void link(const std::string& path, const std::string& target) {
    std::filesystem::create_directories(std::filesystem::path(tree_.path(path)).parent_path());
    std::filesystem::create_symlink(target, tree_.path(path));
  }
  void write_process(int pid, const std::string& network) {
    const std::string folder = "proc/" + std::to_string(pid);
    tree_.write(folder + "/stat",
                std::to_string(pid) + " (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 250 1 1\n");
    tree_.write(folder + "/net/dev",
                "h\nh\n    lo: 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9\n"
                "  eth0: 1 2 3 4 5 6 7 8 11 12 13 14 15 16 17 18\n");
    link(folder + "/ns/net", network);
  }
  void write_v2(const std::string& cgroup) {
    write(cgroup, "cpu.stat",
          "usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\nnr_periods 10\n"
          "nr_throttled 4\nthrottled_usec 500000\n");
    write(cgroup, "memory.current", "1000\n");
    write(cgroup, "io.stat", "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n");
    write(cgroup, "memory.stat",
          "anon 600\nfile 300\nfile_mapped 50\ninactive_file 250\npgfault 7\npgmajfault 1\n");
    write(cgroup, "memory.max", "max\n");
    write(cgroup, "memory.swap.current", "5\n");
    write(cgroup, "memory.events", "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\n");
    write(cgroup, "cpu.max", "50000 100000\n");
    write(cgroup, "cpu.weight", "100\n");
    write(cgroup, "pids.current", "6\n");
    write(cgroup, "pids.max", "max\n");
    write(cgroup, "cgroup.procs", "77\n78\n");
  }
  PartsRunner make(std::unique_ptr<NameSource> live = nullptr, ContainerOptions options = {}) {
    return PartsRunner(
        container_parts(options, tree_.options(), real_file_system(), clock_, std::move(live)));
  }

  RecordedTree tree_;
  SimulatedClock clock_;
};

TEST_F(ContainerPartsTest, TellsAContainerOfVersion2UnderCadvisorsNames) {
  write("", "cgroup.controllers", "cpu memory");
  const std::string cgroup = "/system.slice/docker-" + kId + ".scope";
  write_v2(cgroup);
  write("/system.slice/ssh.service", "cpu.stat", "usage_usec 1\n");
  tree_.write("sys/dev/block/8:0/uevent", "MAJOR=8\nDEVNAME=sda\n");
  tree_.write("proc/stat", "btime 1000\n");
  link("proc/1/ns/net", "net:[1]");
  write_process(77, "net:[2]");
  PartsRunner runner = make(std::make_unique<KnownNames>());
  const Samples samples = runner.run();
  EXPECT_TRUE(runner.succeeded());
  const auto labels = [&](const std::string& before, const std::string& name_on = "") {
    return "{" + before + "id=\"" + cgroup + "\", image=\"nginx:1.25\"" + name_on +
           ", name=\"web\"}";
  };
  const auto value = [&](const std::string& metric) { return samples.at(metric + labels("")); };
  EXPECT_EQ(samples.at("container_cpu_usage_seconds_total" + labels("cpu=\"total\", ")), 3);
  EXPECT_EQ(value("container_cpu_user_seconds_total"), 2);
  EXPECT_EQ(value("container_cpu_system_seconds_total"), 1);
  EXPECT_EQ(value("container_cpu_cfs_periods_total"), 10);
  EXPECT_EQ(value("container_cpu_cfs_throttled_periods_total"), 4);
  EXPECT_EQ(value("container_cpu_cfs_throttled_seconds_total"), 0.5);
  EXPECT_EQ(value("container_memory_usage_bytes"), 1000);
  EXPECT_EQ(value("container_memory_working_set_bytes"), 750);
  EXPECT_EQ(value("container_memory_rss"), 600);
  EXPECT_EQ(value("container_memory_cache"), 300);
  EXPECT_EQ(value("container_memory_swap"), 5);
  EXPECT_EQ(value("container_memory_failcnt"), 3);
  EXPECT_EQ(value("container_oom_events_total"), 1);
  EXPECT_EQ(value("container_spec_memory_limit_bytes"), 0);
  EXPECT_EQ(value("container_spec_cpu_quota"), 50000);
  EXPECT_EQ(value("container_spec_cpu_period"), 100000);
  EXPECT_EQ(value("container_spec_cpu_shares"), 2597);
  EXPECT_EQ(value("container_processes"), 2);
  EXPECT_EQ(value("container_threads"), 6);
  EXPECT_EQ(value("container_threads_max"), 0);
  EXPECT_EQ(value("container_start_time_seconds"), 1002.5);
  EXPECT_EQ(value("container_last_seen"), static_cast<double>(clock_.wall_ms() / 1000));
  EXPECT_EQ(samples.at("container_fs_reads_bytes_total" + labels("device=\"/dev/sda\", ")), 10);
  EXPECT_EQ(samples.at("container_fs_writes_total" + labels("device=\"/dev/sda\", ")), 2);
  EXPECT_EQ(
      samples.at("container_network_receive_bytes_total" + labels("", ", interface=\"eth0\"")), 1);
  EXPECT_EQ(samples.at("container_network_transmit_packets_dropped_total" +
                       labels("", ", interface=\"eth0\"")),
            14);
  for (const auto& [series, unused] : samples) {
    EXPECT_EQ(series.find("ssh.service"), std::string::npos) << series;
    EXPECT_EQ(series.find("\"lo\""), std::string::npos) << series;
  }
}

TEST_F(ContainerPartsTest, TellsVersion1InTheSameUnits) {
  const std::string cgroup = "/docker/" + kId;
  for (const char* controller : {"memory", "cpu", "cpuacct", "blkio", "pids"}) {
    write(std::string("/") + controller + cgroup, "cgroup.procs", "77\n");
  }
  write("/cpuacct" + cgroup, "cpuacct.usage", "2500000000\n");
  write("/cpuacct" + cgroup, "cpuacct.stat", "user 150\nsystem 50\n");
  write("/cpu" + cgroup, "cpu.stat", "nr_periods 5\nnr_throttled 2\nthrottled_time 1500000000\n");
  write("/cpu" + cgroup, "cpu.cfs_quota_us", "-1\n");
  write("/cpu" + cgroup, "cpu.shares", "1024\n");
  write("/memory" + cgroup, "memory.usage_in_bytes", "4096\n");
  write("/memory" + cgroup, "memory.limit_in_bytes", "9223372036854771712\n");
  write("/memory" + cgroup, "memory.failcnt", "2\n");
  write("/memory" + cgroup, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
  write("/memory" + cgroup, "memory.stat",
        "cache 1\nrss 2\ntotal_cache 100\ntotal_rss 200\ntotal_inactive_file 96\n");
  write("/blkio" + cgroup, "blkio.throttle.io_service_bytes",
        "8:0 Read 512\n8:0 Write 1024\n8:0 Sync 1\nTotal 1536\n");
  write("/pids" + cgroup, "pids.current", "3\n");
  PartsRunner runner = make();
  const Samples samples = runner.run();
  EXPECT_TRUE(runner.succeeded());
  const std::string labels = "id=\"" + cgroup + "\", name=\"" + kId + "\"}";
  EXPECT_EQ(samples.at("container_cpu_usage_seconds_total{cpu=\"total\", " + labels), 2.5);
  EXPECT_EQ(samples.at("container_cpu_user_seconds_total{" + labels), 1.5);
  EXPECT_EQ(samples.at("container_cpu_cfs_throttled_seconds_total{" + labels), 1.5);
  EXPECT_EQ(samples.at("container_memory_usage_bytes{" + labels), 4096);
  EXPECT_EQ(samples.at("container_memory_working_set_bytes{" + labels), 4000);
  EXPECT_EQ(samples.at("container_memory_rss{" + labels), 200);
  EXPECT_EQ(samples.at("container_memory_failcnt{" + labels), 2);
  EXPECT_EQ(samples.at("container_oom_events_total{" + labels), 4);
  EXPECT_EQ(samples.at("container_spec_memory_limit_bytes{" + labels), 0);
  EXPECT_EQ(samples.at("container_spec_cpu_shares{" + labels), 1024);
  EXPECT_FALSE(samples.contains("container_spec_cpu_quota{" + labels));
  EXPECT_EQ(samples.at("container_fs_writes_bytes_total{device=\"8:0\", " + labels), 1024);
  EXPECT_EQ(samples.at("container_threads{" + labels), 3);
  EXPECT_EQ(samples.at("container_processes{" + labels), 1);
}

TEST_F(ContainerPartsTest, ContainersOfAPodHaveItsNamesAndThePodTellsTheirNetworkOnce) {
  write("", "cgroup.controllers", "cpu memory");
  const std::string uid = "8ae1b2c3-0d1e-4f2a-9b3c-4d5e6f708192";
  const std::string pod = "/kubepods/burstable/pod" + uid;
  write_v2(pod + "/" + kId);
  write_v2(pod + "/" + kOtherId);
  write(pod, "cgroup.procs", "");
  tree_.write("root/var/log/pods/ml_llama-0_" + uid + "/vllm/0.log", "");
  tree_.write("root/var/log/containers/llama-0_ml_vllm-server-" + kId + ".log", "");
  tree_.write(
      "root/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + kOtherId + "/config.json",
      R"({"annotations": {"io.kubernetes.cri.container-name": "side",
                  "io.kubernetes.cri.image-name": "side:2"}})");
  link("proc/1/ns/net", "net:[1]");
  write_process(77, "net:[2]");
  PartsRunner runner = make();
  const Samples samples = runner.run();
  EXPECT_EQ(samples.at("container_memory_rss{container=\"vllm-server\", id=\"" + pod + "/" + kId +
                       "\", name=\"" + kId + "\", namespace=\"ml\", pod=\"llama-0\"}"),
            600);
  EXPECT_EQ(samples.at("container_memory_rss{container=\"side\", id=\"" + pod + "/" + kOtherId +
                       "\", image=\"side:2\", name=\"" + kOtherId +
                       "\", namespace=\"ml\", pod=\"llama-0\"}"),
            600);
  std::vector<std::string> received;
  for (const auto& [series, value] : samples) {
    if (series.starts_with("container_network_receive_bytes_total")) received.push_back(series);
  }
  EXPECT_THAT(received,
              testing::ElementsAre("container_network_receive_bytes_total{id=\"" + pod +
                                   "\", interface=\"eth0\", namespace=\"ml\", pod=\"llama-0\"}"));
}

TEST_F(ContainerPartsTest, OneThatEndsGoesStaleAndOneOnTheHostsNetworkTellsNoneOfItsOwn) {
  write("", "cgroup.controllers", "cpu memory");
  write_v2("/docker/" + kId);
  link("proc/1/ns/net", "net:[1]");
  write_process(77, "net:[1]");
  PartsRunner runner = make();
  const std::string usage =
      "container_memory_usage_bytes{id=\"/docker/" + kId + "\", name=\"" + kId + "\"}";
  const Samples first = runner.run();
  EXPECT_EQ(first.at(usage), 1000);
  for (const auto& [series, value] : first) {
    EXPECT_FALSE(series.starts_with("container_network")) << series;
  }
  tree_.remove("sys/fs/cgroup/docker/" + kId);
  EXPECT_TRUE(model::is_stale(runner.run().at(usage)));
  EXPECT_TRUE(runner.succeeded());
  write_v2("/docker/" + kId);
  EXPECT_EQ(runner.run().at(usage), 1000);
}

TEST_F(ContainerPartsTest, NamesComeFromTheFilesOfDockerAndPodman) {
  write("", "cgroup.controllers", "cpu memory");
  write_v2("/docker/" + kId);
  write_v2("/machine.slice/libpod-" + kOtherId + ".scope");
  PartsRunner runner = make();
  const auto usage = [](const Samples& samples) {
    std::vector<std::string> found;
    for (const auto& [series, value] : samples) {
      if (series.starts_with("container_memory_usage_bytes") && !model::is_stale(value)) {
        found.push_back(series);
      }
    }
    return found;
  };
  runner.run();
  tree_.write("root/var/lib/docker/containers/" + kId + "/config.v2.json",
              R"({"Name": "/web", "Config": {"Image": "nginx", "Labels": null}})");
  tree_.write("root/var/lib/containers/storage/overlay-containers/containers.json",
              R"([{"id": ")" + kOtherId +
                  R"(", "names": ["db"], "metadata": "{\"image-name\": \"postgres:16\"}"}])");
  EXPECT_THAT(
      usage(runner.run()),
      testing::UnorderedElementsAre(
          "container_memory_usage_bytes{id=\"/docker/" + kId + "\", image=\"nginx\", name=\"web\"}",
          "container_memory_usage_bytes{id=\"/machine.slice/libpod-" + kOtherId +
              ".scope\", image=\"postgres:16\", name=\"db\"}"));
}

TEST_F(ContainerPartsTest, MoreThanTheLimitAreCountedNotTold) {
  write("", "cgroup.controllers", "cpu");
  for (const char c : {'1', '2', '3', '4'}) {
    write("/docker/" + std::string(64, c), "memory.current", "1\n");
  }
  PartsRunner runner = make(nullptr, {.max_containers = 3});
  const Samples samples = runner.run();
  EXPECT_EQ(samples.at("binnacle_containers_left_out"), 1);
  EXPECT_EQ(std::ranges::count_if(samples,
                                  [](const auto& one) {
                                    return one.first.starts_with("container_memory_usage_bytes");
                                  }),
            3);
}

TEST_F(ContainerPartsTest, AMachineWithoutControlGroupsHasNoParts) {
  EXPECT_TRUE(container_parts({}, tree_.options(), real_file_system(), clock_, nullptr).empty());
  write("", "cgroup.controllers", "cpu");
  EXPECT_TRUE(
      container_parts({.enabled = false}, tree_.options(), real_file_system(), clock_, nullptr)
          .empty());
}

TEST(ContainerNames, BrokenFilesAndAnswersNameNothing) {
  EXPECT_FALSE(parse_docker_list("<html>"));
  EXPECT_FALSE(parse_docker_list(R"({"message": "no"})"));
  const auto odd = parse_docker_list(R"([1, {"Id": 5}, {"Id": "x", "Names": [7], "Labels": 3}])");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->size(), 1u);
  const RecordedTree tree;
  tree.write("root/var/lib/docker/containers/" + kId + "/config.v2.json", "[1,");
  ContainerNames names(real_file_system(), tree.path("root"), nullptr);
  EXPECT_FALSE(names.find({.id = kId, .runtime = "docker"}));
  tree.write("root/var/lib/docker/containers/" + kId + "/config.v2.json", "{\"Config\": 3}");
  EXPECT_TRUE(names.find({.id = kId, .runtime = "docker"}));
}

}  // namespace
}  // namespace binnacle::collect::container
