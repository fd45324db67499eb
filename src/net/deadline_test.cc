#include "net/deadline.h"

#include "net/coroutine_test_loop.h"

#include <gtest/gtest.h>

namespace binnacle::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(Deadline, RunsItsLastActionOnce) {
  TestLoop loop;
  int first = 0, last = 0;
  Deadline deadline(loop.io().get_executor(), milliseconds(1), [&first] { ++first; });
  deadline.on_expiry([&last] { ++last; });
  EXPECT_FALSE(deadline.expired());
  loop.run_until([&last] { return last > 0; });
  EXPECT_TRUE(deadline.expired());
  deadline.expire();
  EXPECT_EQ(first, 0);
  EXPECT_EQ(last, 1);
}

TEST(Deadline, ALateActionRunsAtOnce) {
  TestLoop loop;
  Deadline deadline(loop.io().get_executor(), hours(1));
  deadline.expire();
  bool ran = false;
  deadline.on_expiry([&ran] { ran = true; });
  EXPECT_TRUE(ran);
}

TEST(Deadline, OneInsideAnotherEndsWithIt) {
  TestLoop loop;
  Deadline outer(loop.io().get_executor(), milliseconds(1));
  Deadline inner(loop.io().get_executor(), hours(1));
  outer.on_expiry([&inner] { inner.expire(); });
  loop.run_until([&inner] { return inner.expired(); });
  EXPECT_TRUE(outer.expired());
}

TEST(Deadline, NothingRunsAfterItsEnd) {
  TestLoop loop;
  bool ran = false;
  {
    Deadline ended(loop.io().get_executor(), milliseconds(0), [&ran] { ran = true; });
  }
  Deadline later(loop.io().get_executor(), milliseconds(1));
  loop.run_until([&later] { return later.expired(); });
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace binnacle::net
