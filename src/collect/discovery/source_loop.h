// The coroutine of a source: started on one I/O thread, ended from any other. stop() cancels what
// it waits for (an exchange, a timer) and returns when it is over, so that nothing of the source
// runs afterwards. start() and stop() by the owner's thread, never an I/O thread.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "net/io_threads.h"

namespace binnacle::collect::discovery {

class SourceLoop {
 public:
  explicit SourceLoop(net::IoThreads& io) : io_(io) {}
  ~SourceLoop() { stop(); }
  SourceLoop(const SourceLoop&) = delete;
  SourceLoop& operator=(const SourceLoop&) = delete;

  using Body = std::function<boost::asio::awaitable<void>()>;
  // All bodies run on the same I/O thread. Once.
  void start(std::vector<Body> bodies);
  void stop();

 private:
  struct Run;
  net::IoThreads& io_;
  std::shared_ptr<Run> run_;  // shared with the coroutines' ends
};

// Lets the calling coroutine rest.
boost::asio::awaitable<void> rest(std::chrono::milliseconds time);

}  // namespace binnacle::collect::discovery
