#include "engine/pipeline/answer_inbox.h"

#include <boost/asio/post.hpp>

namespace binnacle::engine {

void AnswerInbox::push(size_t choice, GenerationEvent event) {
  bool first = false;
  {
    const MutexLock lock(mu_);
    first = entries_.empty();
    entries_.emplace_back(choice, std::move(event));
  }
  if (first) boost::asio::post(executor_, [self = shared_from_this()] { self->wakeup_.notify(); });
}

std::optional<AnswerInbox::Entry> AnswerInbox::take() {
  const MutexLock lock(mu_);
  if (entries_.empty()) return std::nullopt;
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  return entry;
}

boost::asio::awaitable<void> AnswerInbox::wait(std::chrono::milliseconds time) {
  co_await wakeup_.wait_for(time);
}

}  // namespace binnacle::engine
