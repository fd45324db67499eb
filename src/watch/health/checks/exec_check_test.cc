// Programs that behave and programs that do not: real processes, no shell of ours in between.
#include "watch/health/checks/exec_result.h"
#include "watch/health/checks/test_checks.h"

namespace binnacle::watch::health {
namespace {

using testing::HasSubstr;

std::string read(int code, std::string_view out, std::string_view err = "",
                 ExecFormat format = ExecFormat::kAuto) {
  const Reading reading = read_exec_result(format, {false, code}, out, err);
  std::string text = text_of(reading);
  if (reading.value) text += " = " + std::to_string(*reading.value) + " " + reading.unit;
  return text;
}

TEST(ExecResult, ReadsNagiosPlugins) {
  EXPECT_EQ(read(0, "LOAD OK - 0.5 | load1=0.5;1;2;0; load5=9\nmore\n"),
            "healthy: LOAD OK - 0.5 = 0.500000 ");
  EXPECT_EQ(read(1, "SLOW|time=12ms;10;20"), "degraded: SLOW = 0.012000 seconds");
  EXPECT_EQ(read(2, "FULL | '/ disk'=95%"), "critical: FULL = 0.950000 ratio");
  EXPECT_EQ(read(3, "what", ""), "unknown: what");
  EXPECT_EQ(read(0, ""), "healthy: exit code 0");
  EXPECT_EQ(read(2, "", "cannot open x\n"), "critical: cannot open x");
  EXPECT_EQ(read(127, "", "not found"), "unknown: not found (exit code 127)");
  EXPECT_EQ(read(0, "a\x01\xff|=", ""), "healthy: a??");
  EXPECT_EQ(text_of(read_exec_result(ExecFormat::kAuto, {true, 11}, "", "")),
            "unknown: ended by signal 11");
}

TEST(ExecResult, ReadsJson) {
  EXPECT_EQ(read(0, R"({"status":"degraded","message":"slow","value":3,"unit":"bytes"})"),
            "degraded: slow = 3.000000 bytes");
  EXPECT_EQ(read(2, R"({"status":"healthy","message":"m"})"), "critical: m");
  EXPECT_EQ(read(0, R"({"status":"OK"})"), "healthy: exit code 0");
  EXPECT_THAT(read(0, R"({"status":"splendid"})"), HasSubstr("unknown: unknown status (splendid)"));
  EXPECT_THAT(read(0, "{broken"), HasSubstr("unknown: its output begins like JSON and is not"));
  EXPECT_THAT(read(0, "plain", "", ExecFormat::kJson), HasSubstr("unknown: "));
  EXPECT_EQ(read(1, "{a}", "", ExecFormat::kNagios), "degraded: {a}");
}

class ExecCheckTest : public CheckTest {
 protected:
  std::string script(const std::string& text, int64_t timeout_ms = 20'000,
                     const std::string& more = "") {
    return text_of(run("exec", "command: [sh, -c, '" + text + "']" + more, timeout_ms));
  }
};

TEST_F(ExecCheckTest, RunsWithItsWordsFolderAndEnvironment) {
  EXPECT_EQ(script("echo fine; exit 0"), "healthy: fine");
  EXPECT_EQ(script("echo bad >&2; exit 2"), "critical: bad");
  EXPECT_EQ(script("echo $A in $(pwd)", 20'000, ", env: {A: b}, working_dir: /usr"),
            "healthy: b in /usr");
  EXPECT_EQ(text_of(run("exec", "command: [echo, \"a  b\", \"$HOME;|x\"]")),
            "healthy: a  b $HOME;");
  EXPECT_EQ(script("cat; echo end"), "healthy: end");  // nothing to read
  EXPECT_EQ(script("kill -9 $$"), "unknown: ended by signal 9");
}

TEST_F(ExecCheckTest, OtherVariablesStayHere) {
  ::setenv("BINNACLE_TEST_SECRET", "x", 1);
  EXPECT_EQ(script("echo secret ${BINNACLE_TEST_SECRET:-none}"), "healthy: secret none");
  ::unsetenv("BINNACLE_TEST_SECRET");
}

TEST_F(ExecCheckTest, SaysWhatCannotBeStarted) {
  EXPECT_THAT(text_of(run("exec", "command: [/nonexistent/x]")),
              HasSubstr("unknown: start /nonexistent/x: No such file"));
  EXPECT_THAT(text_of(run("exec", "command: [/usr]")), HasSubstr("unknown: start /usr: "));
  EXPECT_THAT(problems("checks: [{name: a, type: exec}]"), HasSubstr("command is missing"));
}

TEST_F(ExecCheckTest, AtTheTimeoutTheWholeGroupIsKilled) {
  const int64_t began = clock_.monotonic_ms();
  EXPECT_THAT(script("echo started; sleep 1000", 200),
              HasSubstr("failed: no result within 200 ms: killed; it said: started"));
  // Ignores SIGTERM, and so does the child that holds the pipes.
  EXPECT_THAT(script("trap \"\" TERM; (trap \"\" TERM; sleep 1000) & sleep 1000", 200,
                     ", kill_after: 100ms"),
              HasSubstr("failed: no result"));
  EXPECT_LT(clock_.monotonic_ms() - began, 15'000);
}

TEST_F(ExecCheckTest, ChildrenThatStayAreKilledWithTheirGroup) {
  // The background process would write the file after the script's end, if it still lived.
  const std::string mark = testing::TempDir() + "binnacle-exec-" + std::to_string(::getpid());
  const int64_t began = clock_.monotonic_ms();
  EXPECT_EQ(script("(sleep 2; echo x > " + mark + ") & echo done"), "healthy: done");
  EXPECT_LT(clock_.monotonic_ms() - began, 1'900);
  EXPECT_THAT(script("sleep 3; test ! -e " + mark + " && echo gone"), HasSubstr("gone"));
}

TEST_F(ExecCheckTest, OutputIsBounded) {
  EXPECT_EQ(script("head -c 5000000 /dev/zero | tr \"\\\\0\" x; exit 1").substr(0, 12),
            "degraded: xx");
  EXPECT_THAT(script("yes"), HasSubstr("unknown: it printed more than 16 MiB: killed"));
}

TEST_F(ExecCheckTest, AHundredRunsLeaveNothingBehind) {
  const auto check = make("exec", "command: [\"true\"]");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(run(*check).health, Health::kHealthy);
  EXPECT_THAT(script("ls /proc/$PPID/fd | wc -l | grep -E \"^[0-9]{1,2}$\""), HasSubstr("healthy"));
}

}  // namespace
}  // namespace binnacle::watch::health
