#include "net/run_on_pool.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <string>
#include <utility>

namespace binnacle::net {

namespace asio = boost::asio;

asio::awaitable<Status> run_on_pool(ThreadPool& pool, std::function<void()> work) {
  const auto executor = co_await asio::this_coro::executor;
  Status posted;
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
      [&](auto handler) {
        // Shared: a pool's work is copyable, a coroutine's handler is not.
        const auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        const auto go_on = [resume] { std::move (*resume)(); };
        posted = pool.post([&work, executor, go_on, busy = asio::make_work_guard(executor)] {
          work();
          asio::post(executor, go_on);
        });
        if (!posted) asio::post(executor, go_on);
      },
      asio::use_awaitable);
  co_return posted;
}

asio::awaitable<Status> run_on_pool(ThreadPool& pool, std::chrono::milliseconds limit,
                                    std::function<void()> work) {
  struct Wait {
    explicit Wait(const asio::any_io_executor& executor) : timer(executor) {}
    asio::steady_timer timer;
    bool done = false;  // executor only
  };
  const auto executor = co_await asio::this_coro::executor;
  const auto wait = std::make_shared<Wait>(executor);
  wait->timer.expires_after(limit);
  const Status posted =
      pool.post([work = std::move(work), wait, executor, busy = asio::make_work_guard(executor)] {
        work();
        asio::post(executor, [wait] {
          wait->done = true;
          wait->timer.cancel();
        });
      });
  if (!posted) co_return posted;
  co_await wait->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (wait->done) co_return Status();
  co_return fail(Code::kDeadlineExceeded,
                 "not done in time (" + std::to_string(limit.count()) + " ms)");
}

}  // namespace binnacle::net
