#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <pthread.h>
#include <atomic>
#include <future>
#include <latch>

namespace binnacle {
namespace {

// Holds a worker until opened, and tells when the worker has come.
class Gate {
 public:
  std::function<void()> work() {
    return [this] {
      arrived_.count_down();
      opened_.wait();
    };
  }
  void wait_for_worker() { arrived_.wait(); }
  void open() { opened_.count_down(); }

 private:
  std::latch arrived_{1};
  std::latch opened_{1};
};

TEST(ThreadPool, RunsEverythingPosted) {
  std::atomic<int> sum{0};
  {
    ThreadPool pool("sum", 4, 1000);
    for (int i = 1; i <= 1000; ++i) {
      while (!pool.post([&sum, i] { sum += i; })) std::this_thread::yield();
    }
  }
  EXPECT_EQ(sum, 500'500) << "the destructor runs what is queued";
}

TEST(ThreadPool, RefusesBeyondItsBound) {
  ThreadPool pool("small", 1, 2);
  Gate gate;
  ASSERT_TRUE(pool.post(gate.work()));
  gate.wait_for_worker();
  std::atomic<int> ran{0};
  EXPECT_TRUE(pool.post([&] { ++ran; }));
  EXPECT_TRUE(pool.post([&] { ++ran; }));
  EXPECT_EQ(pool.queued(), 2u);
  const auto refused = pool.post([&] { ran += 100; });
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_EQ(refused.error().message, "post to small pool: queue is full (2 waiting)");
  gate.open();
  pool.stop();
  EXPECT_EQ(ran, 2);
}

TEST(ThreadPool, AfterStopRefusesAndMayBeStoppedAgain) {
  ThreadPool pool("done", 2, 10);
  pool.stop();
  EXPECT_EQ(pool.post([] {}).error().code, Code::kUnavailable);
  pool.stop();
  EXPECT_EQ(pool.queued(), 0u);
}

TEST(ThreadPool, WorkMayPostMoreWork) {
  ThreadPool pool("again", 1, 10);
  std::promise<void> done;
  ASSERT_TRUE(pool.post([&] { EXPECT_TRUE(pool.post([&] { done.set_value(); })); }));
  done.get_future().wait();
}

TEST(ThreadPool, UsesAllItsThreadsAtOnce) {
  ThreadPool pool("wide", 3, 10);
  EXPECT_EQ(pool.threads(), 3u);
  std::latch all_here(3);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(pool.post([&] { all_here.arrive_and_wait(); }));
  }
  pool.stop();  // would never come back if two of them shared a thread
}

TEST(ThreadPool, NamesItsThreads) {
  ThreadPool pool("compression-work", 1, 10);
  std::string name(16, '\0');
  ASSERT_TRUE(pool.post([&] { pthread_getname_np(pthread_self(), name.data(), name.size()); }));
  pool.stop();
  EXPECT_STREQ(name.c_str(), "compression-0");
}

}  // namespace
}  // namespace binnacle
