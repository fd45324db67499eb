// Coroutines that go on until they are stopped: started on one I/O thread, ended from any other.
// stop() cancels what they wait for (an exchange, a timer) and returns when they are over, so that
// nothing of them runs afterwards. start() and stop() by the owner's thread, never an I/O thread.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "net/io_threads.h"

namespace binnacle::net {

class BackgroundLoop {
 public:
  explicit BackgroundLoop(IoThreads& io) : io_(io) {}
  ~BackgroundLoop() { stop(); }
  BackgroundLoop(const BackgroundLoop&) = delete;
  BackgroundLoop& operator=(const BackgroundLoop&) = delete;

  using Body = std::function<boost::asio::awaitable<void>()>;
  // All bodies run on the same I/O thread. Once.
  void start(std::vector<Body> bodies);
  void stop();

 private:
  struct Run;
  IoThreads& io_;
  std::shared_ptr<Run> run_;  // shared with the coroutines' ends
};

// Lets the calling coroutine rest.
boost::asio::awaitable<void> rest(std::chrono::milliseconds time);

}  // namespace binnacle::net
