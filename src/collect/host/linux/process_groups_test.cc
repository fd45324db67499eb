#include <gmock/gmock.h>
#include <unistd.h>

#include "collect/host/linux/part_fixture.h"
#include "collect/host/linux/process_roster.h"

namespace binnacle::collect::host {
namespace {

struct Made {
  int pid = 0;
  int parent = 1;
  int user = 0;  // ticks
  int start = 0;
  std::string state = "S";
};

class ProcessGroupsTest : public testing::Test {
 protected:
  ProcessGroupsTest() { tree_.write("proc/stat", "cpu 1 2 3 4\nbtime 1000\n"); }

  static std::string folder(int pid) { return "proc/" + std::to_string(pid); }
  void write_stat(const Made& made) {
    tree_.write(folder(made.pid) + "/stat", std::to_string(made.pid) + " (py) x) " + made.state +
                                                " " + std::to_string(made.parent) +
                                                " 1 1 0 -1 0 7 0 3 0 " + std::to_string(made.user) +
                                                " 50 0 0 20 0 4 0 " + std::to_string(made.start) +
                                                " 8192 2\n");
  }
  void write(const Made& made, std::string command) {
    write_stat(made);
    for (char& c : command) c = c == ' ' ? '\0' : c;
    tree_.write(folder(made.pid) + "/cmdline", command + '\0');
    tree_.write(folder(made.pid) + "/status",
                "Name:\tpy\nVmSwap:\t  12 kB\nvoluntary_ctxt_switches:\t100\n"
                "nonvoluntary_ctxt_switches:\t7\n");
    tree_.write(folder(made.pid) + "/io",
                "rchar: 1\nwchar: 2\nread_bytes: 4096\nwrite_bytes: 512\n");
    tree_.write(folder(made.pid) + "/limits",
                "Limit  Soft  Hard  Units\nMax open files            8   16   files\n");
    for (const char* fd : {"0", "1"}) tree_.write(folder(made.pid) + "/fd/" + fd, "");
  }
  Parts make(ProcessOptions options = {}) {
    auto parts = process_group_parts(tree_.source(), options);
    CHECK(parts.has_value());
    return std::move(*parts);
  }

  RecordedTree tree_;
};

TEST_F(ProcessGroupsTest, TellsTheGroupsUnderTheNamesOfProcessExporter) {
  write({.pid = 10, .user = 200, .start = 500}, "/usr/bin/python3 -m vllm.entrypoints.openai.api");
  write({.pid = 11, .parent = 10, .user = 100, .start = 700, .state = "R"},
        "/usr/bin/python3 -m vllm.entrypoints.openai.api");
  write({.pid = 12}, "/usr/bin/vim vllm.txt");
  PartsRunner runner(make());
  const Samples first = runner.run();
  const double page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  EXPECT_EQ(first.at(R"(namedprocess_namegroup_num_procs{groupname="vllm"})"), 2);
  EXPECT_EQ(first.at(R"(namedprocess_namegroup_num_threads{groupname="vllm"})"), 8);
  EXPECT_EQ(first.at(R"(namedprocess_namegroup_cpu_seconds_total{groupname="vllm", mode="user"})"),
            0);
  EXPECT_EQ(
      first.at(R"(namedprocess_namegroup_memory_bytes{groupname="vllm", memtype="resident"})"),
      4 * page);
  EXPECT_EQ(first.at(R"(namedprocess_namegroup_memory_bytes{groupname="vllm", memtype="swapped"})"),
            24 * 1024);
  EXPECT_EQ(first.at(R"(namedprocess_namegroup_states{groupname="vllm", state="Running"})"), 1);
  EXPECT_EQ(first.at(R"(namedprocess_namegroup_oldest_start_time_seconds{groupname="vllm"})"),
            1005);
  EXPECT_EQ(first.at(R"(namedprocess_namegroup_open_filedesc{groupname="vllm"})"), 4);
  EXPECT_EQ(first.at(R"(namedprocess_namegroup_worst_fd_ratio{groupname="vllm"})"), 0.25);
  EXPECT_EQ(first.at(R"(binnacle_process_restarts_total{groupname="vllm"})"), 0);
  for (const auto& [series, value] : first) {
    EXPECT_TRUE(series.find("vllm") != std::string::npos || series == "binnacle_process_left_out")
        << series;
  }
}

TEST_F(ProcessGroupsTest, CountersGoOnWhenAProcessEndsAndStartAtWhatIsNew) {
  write({.pid = 10, .user = 1000}, "/opt/ollama serve");
  PartsRunner runner(make());
  const std::string cpu =
      R"(namedprocess_namegroup_cpu_seconds_total{groupname="ollama", mode="user"})";
  EXPECT_EQ(runner.run().at(cpu), 0);  // what it used before we came is none of our counting
  write_stat({.pid = 10, .user = 1300});
  EXPECT_EQ(runner.run().at(cpu), 3);
  write({.pid = 20, .parent = 10, .user = 50}, "/opt/ollama runner");
  EXPECT_EQ(runner.run().at(cpu), 3.5);  // it began after we did: all of it counts
  tree_.remove("proc/20");
  EXPECT_EQ(runner.run().at(cpu), 3.5);
  tree_.remove("proc/10");
  const Samples none = runner.run();
  EXPECT_EQ(none.at(cpu), 3.5);
  EXPECT_EQ(none.at(R"(namedprocess_namegroup_num_procs{groupname="ollama"})"), 0);
  EXPECT_TRUE(runner.succeeded());
}

TEST_F(ProcessGroupsTest, ARestartIsTheSameCommandBegunAgainNotAChildThatComesAndGoes) {
  const std::string restarts = R"(binnacle_process_restarts_total{groupname="llama-server"})";
  write({.pid = 10}, "/usr/bin/llama-server -m a");
  write({.pid = 11}, "/usr/bin/llama-server -m b");
  write({.pid = 12, .parent = 10}, "/usr/bin/llama-server -m a");
  PartsRunner runner(make());
  runner.run();
  tree_.remove("proc/12");
  runner.run();
  write({.pid = 13, .parent = 10}, "/usr/bin/llama-server -m a");
  EXPECT_EQ(runner.run().at(restarts), 0);
  tree_.remove("proc/11");
  runner.run();
  write({.pid = 14}, "/usr/bin/llama-server -m c");
  EXPECT_EQ(runner.run().at(restarts), 0);  // another model is another program
  write({.pid = 15}, "/usr/bin/llama-server -m b");
  EXPECT_EQ(runner.run().at(restarts), 1);
  EXPECT_EQ(runner.run().at(restarts), 1);
}

TEST_F(ProcessGroupsTest, AShellThatBecomesAnEngineIsFoundAndTheNumberReadIsBounded) {
  write({.pid = 10}, "/bin/bash -c exec");
  PartsRunner runner(make({.max_processes = 2}));
  EXPECT_EQ(runner.run(), (Samples{{"binnacle_process_left_out", 0}}));
  for (const int pid : {10, 11, 12}) write({.pid = pid}, "/usr/bin/tritonserver --port 1");
  const Samples now = runner.run();
  EXPECT_EQ(now.at(R"(namedprocess_namegroup_num_procs{groupname="triton"})"), 2);
  EXPECT_EQ(now.at("binnacle_process_left_out"), 1);
}

TEST_F(ProcessGroupsTest, ABrokenStatCostsNoOtherProcess) {
  write({.pid = 10}, "/usr/bin/tritonserver");
  write({.pid = 11}, "/usr/bin/tritonserver");
  PartsRunner runner(make());
  runner.run();
  tree_.write("proc/10/stat", "10 nonsense");
  EXPECT_EQ(runner.run().at(R"(namedprocess_namegroup_num_procs{groupname="triton"})"), 1);
  EXPECT_FALSE(runner.succeeded());
}

TEST(ProcessGroups, ABadPatternIsNamed) {
  const RecordedTree tree;
  ProcessOptions options;
  options.groups = {{"mine", "("}};
  const auto parts = process_group_parts(tree.source(), options);
  ASSERT_FALSE(parts);
  EXPECT_THAT(parts.error().message, testing::HasSubstr("process group mine"));
}

TEST(KnownProcessGroups, KnowEnginesByHowTheyAreStarted) {
  const auto rules = GroupRules::create(known_process_groups());
  ASSERT_TRUE(rules);
  const auto group = [&](std::string_view command) -> std::string {
    const size_t found = rules->match(command);
    return found == GroupRules::kNone ? "" : rules->name(found);
  };
  EXPECT_EQ(group("/opt/venv/bin/python3 /opt/venv/bin/vllm serve meta/llama"), "vllm");
  EXPECT_EQ(group("VLLM::EngineCore"), "vllm");
  EXPECT_EQ(group("python -m sglang.launch_server --model x"), "sglang");
  EXPECT_EQ(group("./llama-server -m x.gguf"), "llama-server");
  EXPECT_EQ(group("/usr/local/bin/ollama runner --model x"), "ollama");
  EXPECT_EQ(group("text-generation-launcher --model-id x"), "text-generation-inference");
  EXPECT_EQ(group("/usr/bin/python3 /usr/local/bin/trtllm-serve x"), "trtllm");
  EXPECT_EQ(group("tritonserver --model-repository=/m"), "triton");
  EXPECT_EQ(group("/usr/bin/python3 /usr/bin/lmdeploy serve api_server"), "lmdeploy");
  EXPECT_EQ(group("python3 -m mlx_lm.server --port 8080"), "mlx-lm");
  EXPECT_EQ(group("/venv/bin/python /venv/bin/exo --run"), "exo");
  EXPECT_EQ(group("./dllama worker --port 9998"), "distributed-llama");
  EXPECT_EQ(group("/usr/bin/python3 /usr/bin/torchrun --nproc 8 train.py"), "torchrun");
  EXPECT_EQ(group("ray::RayWorker.execute"), "ray");
  EXPECT_EQ(group("/ray/core/src/ray/raylet/raylet --raylet_socket_name=x"), "ray");
  EXPECT_EQ(group("python3 -u /srv/train_gpt2.py --lr 1"), "training");
  EXPECT_EQ(group("/usr/bin/binnacle server"), "binnacle");
  for (const char* other : {"/usr/bin/vim vllm.txt", "grep ollama x", "/bin/exofs", "bash",
                            "/usr/sbin/sshd -D", "python3 constraint.py", "tail -f ray.log"}) {
    EXPECT_EQ(group(other), "") << other;
  }
}

}  // namespace
}  // namespace binnacle::collect::host
