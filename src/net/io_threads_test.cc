#include "net/io_threads.h"

#include "net/server_test_client.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <semaphore>
#include <set>
#include <thread>

namespace binnacle::net {
namespace {

TEST(IoThreads, EachContextHasItsOwnThread) {
  IoThreads io(3);
  io.start();
  std::set<std::thread::id> ids;
  std::counting_semaphore<> ran(0);
  for (size_t i = 0; i < 3; ++i) {
    boost::asio::post(io.next(), [&] {
      ids.insert(std::this_thread::get_id());
      ran.release();
    });
    ran.acquire();
  }
  EXPECT_EQ(ids.size(), 3u);
}

TEST(IoThreads, ALoopThatHangsShows) {
  IoThreads io(2);
  io.start();
  EXPECT_LT(io.slowest_turn_seconds(), 5);
  std::binary_semaphore leave(0);
  boost::asio::post(io.context(1), [&] { leave.acquire(); });
  EXPECT_TRUE(eventually([&] { return io.slowest_turn_seconds() > 1.2; }));
  leave.release();
  EXPECT_TRUE(eventually([&] { return io.slowest_turn_seconds() < 1; }));
}

TEST(IoThreads, StopDropsPendingWork) {
  IoThreads io(1);
  io.start();
  io.stop();
  bool ran = false;
  boost::asio::post(io.context(0), [&] { ran = true; });
  io.stop();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace binnacle::net
