#include "app/check_commands.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/check.h"

namespace binnacle::app {
namespace {

using ::testing::HasSubstr;

class CheckCommandTest : public ::testing::Test {
 protected:
  CheckCommandTest() {
    std::string name = (std::filesystem::temp_directory_path() / "binnacle-check-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~CheckCommandTest() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  int run(CheckCommand command) {
    out_.str("");
    err_.str("");
    return run_check(command, real_file_system(), clock_, out_, err_);
  }

  std::filesystem::path folder_;
  const SystemClock clock_;
  std::ostringstream out_, err_;
};

std::string exec_check(const std::string& name, int code, const std::string& more = "") {
  return "  - {name: " + name + ", type: exec, " + more +
         "exec: {command: [sh, -c, 'echo said; exit " + std::to_string(code) + "']}}\n";
}

TEST_F(CheckCommandTest, OneReadingDecidesAndTheExitCodeTellsTheWorst) {
  EXPECT_EQ(run({.files = {write("a.yml", "checks:\n" + exec_check("good", 0))}}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("healthy   good"));
  const std::string both = write(
      "b.yml", "checks:\n" + exec_check("good", 0) + exec_check("bad", 2) + exec_check("so-so", 1));
  EXPECT_EQ(run({.files = {both}}), 1);
  EXPECT_THAT(out_.str(), HasSubstr("because of bad: said"));
  EXPECT_EQ(run({.files = {both}, .only = {"so-*", "good"}}), 2);
  EXPECT_EQ(run({.files = {both}, .only = {"none"}}), 3);
  EXPECT_THAT(err_.str(), HasSubstr("none of the checks runs here"));
}

TEST_F(CheckCommandTest, MistakesInFilesAreNamed) {
  EXPECT_EQ(run({.files = {(folder_ / "none.yml").string()}}), 3);
  EXPECT_THAT(err_.str(), HasSubstr("none.yml"));
  EXPECT_EQ(run({.files = {write("a.yml", "checks:\n  - {name: a, type: htpp}\n")}}), 3);
  EXPECT_THAT(err_.str(), HasSubstr("htpp"));
  const std::string first = write("b.yml", "checks:\n" + exec_check("twice", 0));
  const std::string second = write("c.yml", "checks:\n" + exec_check("twice", 0));
  EXPECT_EQ(run({.files = {first, second}}), 3);
  EXPECT_THAT(err_.str(), HasSubstr("twice"));
}

TEST_F(CheckCommandTest, ChecksOfSeriesAreAskedOfThisMachine) {
  const std::string file =
      write("a.yml",
            "checks:\n"
            "  - name: memory-seen\n"
            "    type: promql\n"
            "    timeout: 30s\n"
            "    promql: {expr: node_memory_MemTotal_bytes, critical: '< 1'}\n");
  EXPECT_EQ(run({.files = {file}}), 0) << out_.str() << err_.str();
}

TEST_F(CheckCommandTest, AnOutputFileIsWrittenWhole) {
  const std::string file = write("a.yml", "checks:\n" + exec_check("good", 0));
  const std::string output = (folder_ / "health.prom").string();
  EXPECT_EQ(run({.files = {file}, .print = {.format = CheckFormat::kPrometheus}, .output = output}),
            0);
  EXPECT_EQ(out_.str(), "");
  EXPECT_THAT(real_file_system().read_file(output).value_or(""),
              HasSubstr("binnacle_health_status{scope=\"cluster\"} 0"));
}

// As the README has it: whatever this machine is like, each of its checks knows something.
TEST_F(CheckCommandTest, TheChecksOfAMachineRunAsTheyStand) {
  const std::string file = BINNACLE_SOURCE_DIR "/packaging/checks/this-machine.yml";
  const int code = run({.files = {file}});
  EXPECT_LE(code, 2) << out_.str() << err_.str();
  for (const char* name : {"disk", "memory", "load", "root-is-listed"})
    EXPECT_THAT(out_.str(), HasSubstr(name));
  EXPECT_THAT(out_.str(), ::testing::Not(HasSubstr("unknown "))) << out_.str();
}

TEST_F(CheckCommandTest, NobodyThereIsUnknown) {
  EXPECT_EQ(run({.server = "http://127.0.0.1:1"}), 3);
  EXPECT_THAT(err_.str(), HasSubstr("127.0.0.1:1"));
}

}  // namespace
}  // namespace binnacle::app
