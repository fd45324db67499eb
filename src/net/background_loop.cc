#include "net/background_loop.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "base/check.h"
#include "base/mutex.h"

namespace binnacle::net {

namespace asio = boost::asio;

struct BackgroundLoop::Run {
  explicit Run(asio::io_context& io) : context(io) {}

  asio::io_context& context;
  std::vector<std::unique_ptr<asio::cancellation_signal>> signals;  // of the I/O thread

  Mutex mu;
  CondVar ended;
  size_t running GUARDED_BY(mu) = 0;
};

void BackgroundLoop::start(std::vector<Body> bodies) {
  CHECK(run_ == nullptr);
  run_ = std::make_shared<Run>(io_.next());
  {
    const MutexLock lock(run_->mu);
    run_->running = bodies.size();
  }
  asio::post(run_->context, [run = run_, bodies = std::move(bodies)] {
    for (const Body& body : bodies) {
      run->signals.push_back(std::make_unique<asio::cancellation_signal>());
      asio::co_spawn(run->context, body(),
                     asio::bind_cancellation_slot(run->signals.back()->slot(),
                                                  [run](const std::exception_ptr& thrown) {
                                                    // The one exception is Asio's own word for a
                                                    // cancelled coroutine.
                                                    if (thrown) {
                                                      try {
                                                        std::rethrow_exception(thrown);
                                                      } catch (const boost::system::system_error&) {
                                                      }
                                                    }
                                                    const MutexLock lock(run->mu);
                                                    --run->running;
                                                    run->ended.notify_all();
                                                  }));
    }
  });
}

void BackgroundLoop::stop() {
  if (run_ == nullptr) return;
  asio::post(run_->context, [run = run_] {
    for (const auto& signal : run->signals) signal->emit(asio::cancellation_type::terminal);
  });
  {
    const MutexLock lock(run_->mu);
    while (run_->running > 0) run_->ended.wait(run_->mu);
  }
  run_ = nullptr;
}

asio::awaitable<void> rest(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace binnacle::net
