#include "net/wakeup.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace binnacle::net {

namespace asio = boost::asio;

asio::awaitable<void> Wakeup::wait_until(std::chrono::steady_clock::time_point end) {
  if (notified_) co_return;
  if (!timer_) timer_.emplace(executor_);
  timer_->expires_at(end);
  co_await timer_->async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> Wakeup::wait() {
  while (!notified_) co_await wait_until(std::chrono::steady_clock::time_point::max());
  notified_ = false;
}

asio::awaitable<bool> Wakeup::wait_for(std::chrono::milliseconds time) {
  co_await wait_until(asio::steady_timer::clock_type::now() + time);
  co_return std::exchange(notified_, false);
}

void Wakeup::notify() {
  notified_ = true;
  if (timer_) timer_->cancel();
}

}  // namespace binnacle::net
