#include "net/run_on_pool.h"

#include "net/coroutine_test_loop.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace binnacle::net {
namespace {

TEST(RunOnPool, RunsThereAndComesBack) {
  TestLoop loop;
  ThreadPool pool("test", 1, 4);
  const auto here = std::this_thread::get_id();
  std::thread::id there;
  std::thread::id after;
  loop.run([&]() -> boost::asio::awaitable<void> {
    const Status done = co_await run_on_pool(pool, [&] { there = std::this_thread::get_id(); });
    EXPECT_TRUE(done);
    after = std::this_thread::get_id();
  }());
  EXPECT_NE(there, std::thread::id());
  EXPECT_NE(there, here);
  EXPECT_EQ(after, here);
}

TEST(RunOnPool, SaysThatThePoolTookNothing) {
  TestLoop loop;
  ThreadPool pool("test", 1, 4);
  pool.stop();
  bool ran = false;
  EXPECT_FALSE(loop.run(run_on_pool(pool, [&ran] { ran = true; })));
  EXPECT_FALSE(ran);
}

TEST(RunOnPool, WaitsNoLongerThanItsLimit) {
  TestLoop loop;
  ThreadPool pool("test", 1, 4);
  const auto gate = std::make_shared<std::promise<void>>();
  const auto late = loop.run(
      run_on_pool(pool, std::chrono::milliseconds(20), [gate] { gate->get_future().wait(); }));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadlineExceeded);
  gate->set_value();
  EXPECT_TRUE(loop.run(run_on_pool(pool, std::chrono::seconds(20), [] {})));
  pool.stop();
}

}  // namespace
}  // namespace binnacle::net
