#include "base/ordered_work.h"

#include <gtest/gtest.h>

#include <vector>

namespace binnacle {
namespace {

constexpr int64_t kLongMs = 20'000;

TEST(OrderedWork, IsDoneInOrderOneAtATime) {
  ThreadPool pool("test", 4, 100);
  OrderedWork work(pool, 1000);
  std::vector<int> done;  // without a lock: that is the point
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(work.post([&done, i] { done.push_back(i); }));
  EXPECT_TRUE(work.drain(kLongMs));
  ASSERT_EQ(done.size(), 500U);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(done[static_cast<size_t>(i)], i);
}

TEST(OrderedWork, IsBoundedAndClosed) {
  ThreadPool pool("test", 1, 100);
  Mutex mu;
  CondVar changed;
  bool go = false;
  ASSERT_TRUE(pool.post([&] {
    const MutexLock lock(mu);
    while (!go) changed.wait(mu);
  }));
  OrderedWork work(pool, 2);
  int done = 0;
  EXPECT_TRUE(work.post([&] { ++done; }));
  EXPECT_TRUE(work.post([&] { ++done; }));
  EXPECT_EQ(work.post([] {}).error().code, Code::kResourceExhausted);
  EXPECT_FALSE(work.drain(1));
  EXPECT_EQ(work.post([] {}).error().code, Code::kUnavailable);
  {
    const MutexLock lock(mu);
    go = true;
  }
  changed.notify_all();
  EXPECT_TRUE(work.drain(kLongMs));
  EXPECT_EQ(done, 2);
}

}  // namespace
}  // namespace binnacle
