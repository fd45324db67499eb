#include "net/deadline.h"

namespace binnacle::net {

void Deadline::State::expire() {
  if (expired) return;
  expired = true;
  if (action) action();
}

Deadline::Deadline(const boost::asio::any_io_executor& executor, std::chrono::milliseconds limit,
                   std::function<void()> on_expiry)
    : state_(std::make_shared<State>()), timer_(executor, limit) {
  state_->action = std::move(on_expiry);
  timer_.async_wait([state = state_](boost::system::error_code cancelled) {
    if (!cancelled) state->expire();
  });
}

Deadline::~Deadline() { state_->action = nullptr; }

void Deadline::expire() { state_->expire(); }

void Deadline::on_expiry(std::function<void()> action) {
  state_->action = std::move(action);
  if (state_->expired && state_->action) state_->action();
}

}  // namespace binnacle::net
