// Where the events of one request's generations wait for the coroutine that answers it. push() from
// the orchestrator's thread, the rest by that coroutine on its executor.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/mutex.h"
#include "engine/pipeline/generation.h"
#include "net/wakeup.h"

namespace binnacle::engine {

class AnswerInbox : public std::enable_shared_from_this<AnswerInbox> {
 public:
  explicit AnswerInbox(boost::asio::any_io_executor executor)
      : executor_(executor), wakeup_(std::move(executor)) {}

  void push(size_t choice, GenerationEvent event) EXCLUDES(mu_);

  using Entry = std::pair<size_t, GenerationEvent>;
  std::optional<Entry> take() EXCLUDES(mu_);
  // Until something may have come, or the time is over.
  boost::asio::awaitable<void> wait(std::chrono::milliseconds time);

 private:
  const boost::asio::any_io_executor executor_;
  net::Wakeup wakeup_;  // executor only
  Mutex mu_;
  std::deque<Entry> entries_ GUARDED_BY(mu_);
};

}  // namespace binnacle::engine
