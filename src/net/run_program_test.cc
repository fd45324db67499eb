#include "net/run_program.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "net/coroutine_test_loop.h"

namespace binnacle::net {
namespace {

using std::chrono::milliseconds;

ProgramRun run(const std::string& script, ProgramLimits limits) {
  TestLoop loop;
  auto ran = loop.run(run_program(
      {.argv = {"sh", "-c", script}, .environment = {{"A", "b"}}, .folder = "/"}, limits));
  EXPECT_TRUE(ran) << ran.error().message;
  return std::move(*ran);
}

TEST(RunProgram, KeepsBothStreams) {
  const ProgramRun ran = run("echo $A; pwd >&2; exit 3", {.timeout = milliseconds(20'000)});
  EXPECT_EQ(ran.out, "b\n");
  EXPECT_EQ(ran.err, "/\n");
  EXPECT_EQ(ran.exit.code, 3);
  EXPECT_FALSE(ran.timed_out || ran.printed_too_much || ran.stuck);
}

TEST(RunProgram, GivesTheProgramItsInput) {
  TestLoop loop;
  const std::string text(200'000, 'x');  // more than a pipe holds
  const auto counted = loop.run(
      run_program({.argv = {"wc", "-c"}, .environment = {}, .folder = "", .input = text}, {}));
  ASSERT_TRUE(counted) << counted.error().message;
  EXPECT_EQ(counted->out, "200000\n");
  const auto unread =
      loop.run(run_program({.argv = {"true"}, .environment = {}, .folder = "", .input = text}, {}));
  EXPECT_EQ(unread->exit.code, 0);
}

TEST(RunProgram, EndsWhatDoesNotEnd) {
  const ProgramRun term = run("sleep 1000", {.timeout = milliseconds(50)});
  EXPECT_TRUE(term.timed_out);
  EXPECT_TRUE(term.exit.signalled);
  EXPECT_EQ(term.exit.code, 15);
  const ProgramRun deaf = run("trap '' TERM; while :; do sleep 1; done",
                              {.timeout = milliseconds(200), .term_grace = milliseconds(50)});
  EXPECT_TRUE(deaf.timed_out);
  EXPECT_EQ(deaf.exit.code, 9);
}

TEST(RunProgram, KeepsSoMuchAndReadsNoMoreThanSoMuch) {
  const ProgramRun some = run("head -c 100000 /dev/zero", {.max_kept_bytes = 10});
  EXPECT_EQ(some.out.size(), 10);
  EXPECT_FALSE(some.printed_too_much);
  const ProgramRun endless =
      run("yes", {.timeout = milliseconds(60'000), .max_printed_bytes = 1'000'000});
  EXPECT_TRUE(endless.printed_too_much);
  EXPECT_FALSE(endless.timed_out);
}

TEST(RunProgram, APipeThatAChildKeepsHoldsNothingUp) {
  const SystemClock clock;
  const int64_t began_ms = clock.monotonic_ms();
  const ProgramRun ran = run("sleep 30 & echo here", {.timeout = milliseconds(20'000)});
  EXPECT_EQ(ran.out, "here\n");
  EXPECT_LT(clock.monotonic_ms() - began_ms, 10'000);
}

}  // namespace
}  // namespace binnacle::net
