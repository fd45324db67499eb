// Lets one coroutine wait until another one, or a timer's turn, calls notify(). A notify() that
// comes first is kept for the next wait. One waiter at a time; one executor. Costs nothing until
// the first wait.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <optional>

namespace binnacle::net {

class Wakeup {
 public:
  explicit Wakeup(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  boost::asio::awaitable<void> wait();
  // False when the time was over first.
  boost::asio::awaitable<bool> wait_for(std::chrono::milliseconds time);
  void notify();

 private:
  boost::asio::awaitable<void> wait_until(std::chrono::steady_clock::time_point end);

  const boost::asio::any_io_executor executor_;
  std::optional<boost::asio::steady_timer> timer_;
  bool notified_ = false;
};

}  // namespace binnacle::net
