// A limit on the time of a piece of I/O: when it passes, an action runs on the executor (it closes
// the socket or cancels the resolver, so that the pending operation fails). Belongs to the
// coroutine that makes it, for one wait or for a whole exchange; after destruction nothing runs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace binnacle::net {

class Deadline {
 public:
  Deadline(const boost::asio::any_io_executor& executor, std::chrono::milliseconds limit,
           std::function<void()> on_expiry = nullptr);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  bool expired() const { return state_->expired; }
  // The time is over now: for a deadline inside another one.
  void expire();
  // What expiry does from now on. Runs at once when the time is over already.
  void on_expiry(std::function<void()> action);

 private:
  struct State {
    std::function<void()> action;
    bool expired = false;
    void expire();
  };

  // Executor only. The state outlives this object in a handler that is queued already; it then has
  // no action.
  const std::shared_ptr<State> state_;
  boost::asio::steady_timer timer_;
};

}  // namespace binnacle::net
