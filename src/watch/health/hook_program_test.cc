#include "watch/health/hook_program.h"

#include <gtest/gtest.h>

#include "net/coroutine_test_loop.h"

namespace binnacle::watch::health {
namespace {

Status run(const std::string& script, int timeout_ms = 10'000) {
  net::TestLoop loop;
  return loop.run(run_hook_program({"/bin/sh", "-c", script},
                                   {{"BINNACLE_EVENT_KIND", "node.down"}},
                                   std::chrono::milliseconds(timeout_ms)));
}

TEST(HookProgram, FindsTheEventInItsEnvironment) {
  EXPECT_TRUE(run("test \"$BINNACLE_EVENT_KIND\" = node.down"));
}

TEST(HookProgram, TellsWhyItFailed) {
  const Status failed = run("echo no pager >&2; exit 3");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "/bin/sh: exit code 3: no pager");
  EXPECT_EQ(run("exec sleep 100", 50).error().code, Code::kDeadlineExceeded);
}

}  // namespace
}  // namespace binnacle::watch::health
