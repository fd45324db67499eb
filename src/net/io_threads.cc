#include "net/io_threads.h"

#include "base/check.h"
#include "base/clock.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace binnacle::net {

namespace asio = boost::asio;

namespace {

// Each loop stamps the time this often; a stamp older than that by far is a loop that hangs.
constexpr std::chrono::milliseconds kStampInterval{500};

}  // namespace

struct IoThreads::Loop {
  // One thread runs each context, so Asio may leave out wake-ups between threads; posting stays
  // safe.
  Loop() : context(1), work(context.get_executor()), stamp_timer(context) {}

  void stamp() {
    last_turn_ns.store(SystemClock().monotonic_ns(), std::memory_order_relaxed);
    stamp_timer.expires_after(kStampInterval);
    stamp_timer.async_wait([this](const boost::system::error_code& error) {
      if (!error) stamp();
    });
  }

  asio::io_context context;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  asio::steady_timer stamp_timer;  // Executor only
  std::thread thread;
  std::atomic<int64_t> last_turn_ns{0};
};

struct IoThreads::Shared {
  std::atomic<size_t> next{0};
  bool started = false;  // start() and stop() are called by one owner
};

IoThreads::IoThreads(size_t threads) : shared_(std::make_unique<Shared>()) {
  CHECK(threads > 0);
  for (size_t i = 0; i < threads; ++i) loops_.push_back(std::make_unique<Loop>());
}

IoThreads::~IoThreads() { stop(); }

void IoThreads::start() {
  CHECK(!shared_->started);
  shared_->started = true;
  for (size_t i = 0; i < loops_.size(); ++i) {
    Loop& loop = *loops_[i];
    loop.stamp();
    loop.thread = std::thread([&loop] { loop.context.run(); });
    pthread_setname_np(loop.thread.native_handle(), ("io-" + std::to_string(i)).c_str());
  }
}

void IoThreads::stop() {
  for (auto& loop : loops_) loop->context.stop();
  for (auto& loop : loops_) {
    if (loop->thread.joinable()) loop->thread.join();
  }
}

size_t IoThreads::size() const { return loops_.size(); }

asio::io_context& IoThreads::context(size_t i) { return loops_.at(i)->context; }

asio::io_context& IoThreads::next() {
  return loops_[shared_->next.fetch_add(1, std::memory_order_relaxed) % loops_.size()]->context;
}

double IoThreads::slowest_turn_seconds() const {
  const int64_t now = SystemClock().monotonic_ns();
  int64_t slowest = 0;
  for (const auto& loop : loops_) {
    slowest = std::max(slowest, now - loop->last_turn_ns.load(std::memory_order_relaxed));
  }
  return static_cast<double>(slowest) / 1e9;
}

}  // namespace binnacle::net
