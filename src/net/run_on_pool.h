// Hands work that blocks or burns a core from a coroutine to a pool, and goes on when it is done.
#pragma once

#include "base/error.h"
#include "base/thread_pool.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>

namespace binnacle::net {

// Ends when `work` has ended, even if the coroutine is cancelled meanwhile, so that `work` may use
// what the coroutine holds. kResourceExhausted, kUnavailable: the pool did not take it.
boost::asio::awaitable<Status> run_on_pool(ThreadPool& pool, std::function<void()> work);

// As above, but waits for `limit` at most: kDeadlineExceeded, and `work` may then still wait or
// run, so that it owns what it uses. The pool is stopped before the executor's threads are gone.
boost::asio::awaitable<Status> run_on_pool(ThreadPool& pool, std::chrono::milliseconds limit,
                                           std::function<void()> work);

}  // namespace binnacle::net
