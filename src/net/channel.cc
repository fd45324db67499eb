#include "net/channel.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace binnacle::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// Once the kernel takes nothing more, so much is waited for at a time: a wait that ends is proof of
// progress.
constexpr size_t kWritePiece = 16 * 1024;
constexpr size_t kReadAheadRoom = 4 * 1024;
constexpr size_t kMaxReadAhead = 16 * 1024;
constexpr size_t kKeptInput = 16 * 1024;  // a larger block is not held by an idle connection
constexpr size_t kKeptOutput = 4 * 1024;
constexpr int64_t kBodyGraceNs = 5'000'000'000;

constexpr int64_t to_ns(std::chrono::milliseconds time) { return time.count() * 1'000'000; }

}  // namespace

Channel::Channel(std::unique_ptr<Transport> transport, const Clock& clock,
                 const ServerLimits& limits)
    : clock_(clock),
      limits_(limits),
      transport_(std::move(transport)),
      executor_(transport_->executor()),
      read_done_(executor_),
      sleep_(executor_) {}

void Channel::begin_wait(Waiting why) {
  waiting_ = why;
  since_ns_ = why == Waiting::kHead ? head_began_ns_ : clock_.monotonic_ns();
}

void Channel::note_read(const error_code& error, size_t bytes) {
  last_read_ns_ = clock_.monotonic_ns();
  if (error) {
    read_error_ = error;
    gone_.store(true, std::memory_order_relaxed);
    return;
  }
  in.commit(bytes);
  if (waiting_ == Waiting::kIdle) head_began_ns_ = last_read_ns_;
  if (waiting_ == Waiting::kBody) {
    body_waited_ns_ += last_read_ns_ - since_ns_;
    body_bytes_ += bytes;
  }
}

asio::awaitable<error_code> Channel::fill(Waiting why, size_t room) {
  begin_wait(why);
  if (why == Waiting::kIdle && out.capacity() > kKeptOutput) out = std::string();
  const size_t before = in.unread().size();
  stop_read_ahead_ = true;
  while (reading_ahead_) co_await read_done_.wait();
  if (in.unread().size() == before && !read_error_) {
    const auto [error, bytes] = co_await transport_->read_some(in.prepare(room));
    note_read(error, bytes);
  }
  waiting_ = Waiting::kNothing;
  co_return in.unread().size() > before ? error_code() : read_error_;
}

void Channel::watch(std::shared_ptr<void> owner) {
  if (reading_ahead_ || read_error_) return;
  reading_ahead_ = true;
  stop_read_ahead_ = false;
  asio::co_spawn(executor_, read_ahead(std::move(owner)), asio::detached);
}

// `owner` lives in this coroutine's frame: the connection outlasts the read.
asio::awaitable<void> Channel::read_ahead(std::shared_ptr<void> owner) {
  while (!stop_read_ahead_ && !read_error_ && in.unread().size() < kMaxReadAhead) {
    const auto [error, bytes] = co_await transport_->read_some(in.prepare(kReadAheadRoom));
    note_read(error, bytes);
  }
  reading_ahead_ = false;
  read_done_.notify();
  if (read_error_) interrupt();
  owner.reset();
}

void Channel::release_input() {
  if (!reading_ahead_) in.release(kKeptInput);
}

Unexpected Channel::fail_write() {
  failed_ = true;
  gone_.store(true, std::memory_order_relaxed);
  out.clear();
  interrupt();
  return fail(Code::kCancelled, "the client went away");
}

void Channel::drop_sent(std::string_view& tail, size_t bytes) {
  const size_t from_out = std::min(bytes, out.size());
  if (from_out == out.size()) {
    out.clear();
  } else {
    out.erase(0, from_out);
  }
  tail.remove_prefix(bytes - from_out);
}

bool Channel::flush_at_once() {
  if (out.empty()) return true;
  const auto [error, bytes] = transport_->try_write(asio::buffer(out), {});
  if (error && error != asio::error::would_block) {
    static_cast<void>(fail_write());
    return true;
  }
  std::string_view no_tail;
  drop_sent(no_tail, bytes);
  return out.empty();
}

asio::awaitable<Status> Channel::flush(std::string_view tail) {
  while (!failed_ && !(out.empty() && tail.empty())) {
    auto [error, bytes] = transport_->try_write(asio::buffer(out), asio::buffer(tail));
    if (error == asio::error::would_block) {
      begin_wait(Waiting::kWrite);
      const std::string_view first = std::string_view(out).substr(0, kWritePiece);
      const std::string_view second =
          first.size() == out.size() ? tail.substr(0, kWritePiece) : std::string_view();
      std::tie(error, bytes) =
          co_await transport_->write(asio::buffer(first), asio::buffer(second));
      waiting_ = Waiting::kNothing;
    }
    if (error) co_return fail_write();
    drop_sent(tail, bytes);
  }
  if (failed_) co_return fail_write();
  co_return Status();
}

asio::awaitable<void> Channel::finish() {
  if (transport_ == nullptr) co_return;
  co_await flush();
  if (reading_ahead_) {
    stop_read_ahead_ = true;
    transport_->cancel();
    while (reading_ahead_) co_await read_done_.wait();
  }
  if (!failed_) co_await transport_->shutdown();
  transport_->close();
}

void Channel::begin_exchange(int64_t deadline_ns) {
  exchange_deadline_ns_ = deadline_ns;
  body_waited_ns_ = 0;
  body_bytes_ = 0;
  stream_waits_ = false;
}

asio::awaitable<bool> Channel::wait_for_handler(Wakeup& event) {
  handler_event_ = &event;
  waiting_ = Waiting::kHandler;
  co_await event.wait();
  waiting_ = Waiting::kNothing;
  handler_event_ = nullptr;
  co_return expired_ != Waiting::kHandler;
}

asio::awaitable<bool> Channel::sleep(std::chrono::milliseconds time) {
  co_return !co_await sleep_.wait_for(time);
}

void Channel::interrupt() { sleep_.notify(); }

bool Channel::body_too_slow(int64_t now_ns) const {
  const int64_t waited_ns = body_waited_ns_ + (now_ns - since_ns_);
  const double seconds = static_cast<double>(waited_ns) / 1e9;
  return waited_ns > kBodyGraceNs &&
         static_cast<double>(body_bytes_) <
             seconds * static_cast<double>(limits_.min_body_bytes_per_second);
}

// A peer that is told why keeps its connection for that last answer; one that does not read is cut
// off.
void Channel::expire(bool closing) {
  expired_ = waiting_;
  if (closing) {
    transport_->close();
  } else {
    transport_->cancel();
  }
}

void Channel::tick(int64_t now_ns) {
  if (transport_ == nullptr) return;
  const int64_t waited_ns = now_ns - since_ns_;
  if (waiting_ == Waiting::kWrite && waited_ns > to_ns(limits_.write_timeout)) return expire(true);
  if (expired_ != Waiting::kNothing) return;
  if (stream_waits_ && now_ns > exchange_deadline_ns_) {
    expired_ = Waiting::kHandler;
    interrupt();
  }
  switch (waiting_) {
    case Waiting::kNothing:
    case Waiting::kWrite:
      return;
    case Waiting::kIdle:
      if (waited_ns > to_ns(limits_.idle_timeout)) expire(true);
      return;
    case Waiting::kHead:
      if (waited_ns > to_ns(limits_.header_timeout)) expire(false);
      return;
    case Waiting::kBody:
      if (body_too_slow(now_ns) || now_ns > exchange_deadline_ns_) expire(false);
      return;
    case Waiting::kHandler:
      if (now_ns <= exchange_deadline_ns_) return;
      expired_ = Waiting::kHandler;
      handler_event_->notify();
      return;
  }
}

void Channel::close() {
  if (transport_ != nullptr) transport_->close();
}

}  // namespace binnacle::net
