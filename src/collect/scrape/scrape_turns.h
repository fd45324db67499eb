// How many scrapes of one I/O thread are under way at once; the others wait, first come, first
// served. Executor only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <deque>

#include "net/wakeup.h"

namespace binnacle::collect::scrape {

class ScrapeTurns {
 public:
  ScrapeTurns(boost::asio::any_io_executor executor, size_t at_once)
      : executor_(std::move(executor)), free_(at_once) {}

  boost::asio::awaitable<void> enter() {
    if (free_ > 0) {
      --free_;
      co_return;
    }
    net::Wakeup turn(executor_);
    waiting_.push_back(&turn);
    co_await turn.wait();
  }
  void leave() {
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    waiting_.front()->notify();
    waiting_.pop_front();
  }

 private:
  const boost::asio::any_io_executor executor_;
  size_t free_;
  std::deque<net::Wakeup*> waiting_;
};

}  // namespace binnacle::collect::scrape
