#include "base/repeating_thread.h"

#include <gtest/gtest.h>

#include "base/check.h"

namespace binnacle {
namespace {

TEST(RepeatingThread, RunsUntilItIsStoppedAndCanStartAgain) {
  Mutex mu;
  CondVar ran;
  int runs = 0;
  RepeatingThread thread("again");
  thread.stop();
  for (int round = 1; round <= 2; ++round) {
    thread.start(1, [&] {
      const MutexLock lock(mu);
      ++runs;
      ran.notify_all();
    });
    EXPECT_TRUE(thread.running());
    {
      const MutexLock lock(mu);
      while (runs < 3 * round) CHECK(ran.wait_for_ms(mu, 20'000));
    }
    thread.stop();
    EXPECT_FALSE(thread.running());
  }
}

TEST(RepeatingThread, AStopDoesNotWaitForTheInterval) {
  int runs = 0;
  {
    RepeatingThread thread("seldom");
    thread.start(3'600'000, [&runs] { ++runs; });
  }
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace binnacle
