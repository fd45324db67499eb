#include "net/gathered_reads.h"

#include "base/os_poll_set.h"
#include "net/deadline.h"
#include "net/tcp_transport.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kLinger{1000};  // as of a plain TCP transport
// More that are ready have another turn at once, after what else the thread has to do.
constexpr size_t kMostReadyAtOnce = 128;

error_code last_error() { return {errno, boost::system::system_category()}; }

bool would_block(const error_code& error) {
  return error == asio::error::would_block || error == asio::error::try_again;
}

// A coroutine that waits.
class Waiter {
 public:
  virtual ~Waiter() = default;
  virtual void go_on(error_code error, size_t bytes) = 0;  // once
};

template <typename Handler>
class HandlerWaiter final : public Waiter {
 public:
  explicit HandlerWaiter(Handler handler) : handler_(std::move(handler)) {}
  void go_on(error_code error, size_t bytes) override {
    auto handler = std::move(handler_);
    std::move(handler)(error, bytes);
  }

 private:
  Handler handler_;
};

class GatheredTransport;

// One for each I/O context, which owns it and with it the coroutines that wait here.
class ReadTurns final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit ReadTurns(asio::io_context& context)
      : asio::execution_context::service(context), timer_(context) {}

  // By its number from now on; false: the kernel has no room for it.
  bool add(GatheredTransport& transport, int fd, uint64_t& number);
  void remove(uint64_t number, int fd);
  OsPollSet& poll() { return poll_; }
  // More may be there to be read: it has the next turn whether something changes or not.
  void again(uint64_t number) { again_.push_back(number); }

  struct Place {
    GatheredTransport* transport = nullptr;
    uint32_t generation = 0;
    std::unique_ptr<Waiter> reader;
    std::unique_ptr<Waiter> writer;
  };
  Place& place(uint64_t number) { return places_[static_cast<uint32_t>(number)]; }

 private:
  void shutdown() override;
  void arm();
  void turn();
  void tell(const OsPollSet::Change& change);

  asio::steady_timer timer_;
  OsPollSet poll_;
  bool armed_ = false;
  std::vector<Place> places_;
  std::vector<uint32_t> free_;
  std::vector<uint64_t> again_;
  std::array<OsPollSet::Change, kMostReadyAtOnce> ready_{};
};

class GatheredTransport final : public Transport {
 public:
  GatheredTransport(asio::any_io_executor executor, ReadTurns& turns)
      : executor_(std::move(executor)), turns_(turns) {}
  ~GatheredTransport() override { GatheredTransport::close(); }

  // Takes `fd` over when it succeeds.
  bool begin(int fd) {
    if (!turns_.add(*this, fd, number_)) return false;
    fd_ = fd;
#ifdef SO_TIMESTAMPNS
    const int on = 1;
    // Without it the time of a read counts.
    static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on));
#endif
    return true;
  }

  asio::awaitable<IoResult> read_some(asio::mutable_buffer buffer) override {
    return asio::async_initiate<decltype(kAwait), void(error_code, size_t)>(
        [this](auto handler, asio::mutable_buffer into) {
          auto waiter = std::make_unique<HandlerWaiter<decltype(handler)>>(std::move(handler));
          if (fd_ < 0) return post(std::move(waiter), asio::error::bad_descriptor);
          buffer_ = into;
          turns_.place(number_).reader = std::move(waiter);
          if (may_have_more_) turns_.again(number_);
        },
        kAwait, buffer);
  }

  asio::awaitable<IoResult> write(asio::const_buffer first, asio::const_buffer second) override {
    size_t done = 0;
    while (first.size() + second.size() > 0) {
      const auto [error, bytes] = try_write(first, second);
      if (error && !would_block(error)) co_return IoResult{error, done};
      done += bytes;
      const size_t of_first = std::min(bytes, first.size());
      first += of_first;
      second += bytes - of_first;
      if (!would_block(error)) continue;
      if (const error_code failed = std::get<0>(co_await writable()))
        co_return IoResult{failed, done};
    }
    co_return IoResult{error_code{}, done};
  }

  IoResult try_write(asio::const_buffer first, asio::const_buffer second) override {
    if (fd_ < 0) return {asio::error::bad_descriptor, 0};
    std::array<iovec, 2> parts{iovec{const_cast<void*>(first.data()), first.size()},
                               iovec{const_cast<void*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (sent < 0) return {last_error(), 0};
    return {error_code{}, static_cast<size_t>(sent)};
  }

  void cancel() override {
    if (fd_ < 0) return;
    ReadTurns::Place& place = turns_.place(number_);
    for (auto* waiter : {&place.reader, &place.writer}) {
      if (*waiter != nullptr) post(std::move(*waiter), asio::error::operation_aborted);
    }
  }

  asio::awaitable<void> shutdown() override {
    if (fd_ >= 0 && ::shutdown(fd_, SHUT_WR) == 0) {
      Deadline deadline(executor_, kLinger, [this] { close(); });
      char unwanted[4096];
      error_code error;
      while (!error) error = std::get<0>(co_await read_some(asio::buffer(unwanted)));
    }
    close();
  }

  void close() override {
    if (fd_ < 0) return;
    cancel();
    turns_.remove(number_, fd_);
    ::close(std::exchange(fd_, -1));
  }

  bool is_open() const override { return fd_ >= 0; }

  bool is_quiet() override {
    char byte;
    return fd_ >= 0 && ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           would_block(last_error());
  }

  asio::any_io_executor executor() override { return executor_; }
  int64_t received_ns() const override { return received_ns_; }

  // Its turn. It may be gone afterwards.
  void ready(const OsPollSet::Change& change) {
    ReadTurns::Place& place = turns_.place(number_);
    ended_ = ended_ || change.ended;
    if (change.writable && place.writer != nullptr) {
      turns_.poll().watch_writes(fd_, number_, false);
      post(std::move(place.writer), {});
    }
    if (!change.readable) return;
    may_have_more_ = true;
    if (place.reader == nullptr) return;
    const auto [error, bytes] = receive();
    // An end that has been told of already is not told of again.
    may_have_more_ = !error && (ended_ || bytes == buffer_.size());
    if (would_block(error)) return;
    const auto reader = std::move(place.reader);
    reader->go_on(error, bytes);
  }

 private:
  // What has come, and when the kernel took it in.
  IoResult receive() {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timespec))];
    iovec into{buffer_.data(), buffer_.size()};
    msghdr message{};
    message.msg_iov = &into;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t bytes = ::recvmsg(fd_, &message, MSG_DONTWAIT);
    if (bytes < 0) return {last_error(), 0};
    if (bytes == 0) return {asio::error::eof, 0};
    received_ns_ = 0;
#ifdef SO_TIMESTAMPNS
    for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
      if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_TIMESTAMPNS) continue;
      timespec time{};
      std::memcpy(&time, CMSG_DATA(one), sizeof time);
      received_ns_ = int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
    }
#endif
    return {error_code{}, static_cast<size_t>(bytes)};
  }

  asio::awaitable<IoResult> writable() {
    return asio::async_initiate<decltype(kAwait), void(error_code, size_t)>(
        [this](auto handler) {
          auto waiter = std::make_unique<HandlerWaiter<decltype(handler)>>(std::move(handler));
          if (fd_ < 0) return post(std::move(waiter), asio::error::bad_descriptor);
          turns_.place(number_).writer = std::move(waiter);
          turns_.poll().watch_writes(fd_, number_, true);
        },
        kAwait);
  }

  void post(std::unique_ptr<Waiter> waiter, error_code error) {
    asio::post(executor_, [waiter = std::move(waiter), error] { waiter->go_on(error, 0); });
  }

  // Fixed after construction
  const asio::any_io_executor executor_;
  ReadTurns& turns_;

  // I/O thread only
  int fd_ = -1;
  uint64_t number_ = 0;  // of its place
  asio::mutable_buffer buffer_;
  bool may_have_more_ = false;  // than has been read
  bool ended_ = false;
  int64_t received_ns_ = 0;
};

bool ReadTurns::add(GatheredTransport& transport, int fd, uint64_t& number) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(places_.size()));
    places_.emplace_back();
  }
  const uint32_t at = free_.back();
  number = (uint64_t{places_[at].generation} << 32) | at;
  if (!poll_.add(fd, number)) return false;
  free_.pop_back();
  places_[at].transport = &transport;
  if (!armed_) arm();
  return true;
}

void ReadTurns::remove(uint64_t number, int fd) {
  poll_.remove(fd);
  Place& place = this->place(number);
  place.transport = nullptr;
  ++place.generation;  // what this turn has still to tell of it is stale
  free_.push_back(static_cast<uint32_t>(number));
}

void ReadTurns::arm() {
  armed_ = true;
  timer_.expires_after(kReadTurn);
  timer_.async_wait([this](const error_code& error) {
    if (!error) turn();
  });
}

void ReadTurns::turn() {
  armed_ = false;
  for (const uint64_t number : std::exchange(again_, {}))
    tell({.number = number, .readable = true});
  const size_t count = poll_.take(ready_);
  for (size_t i = 0; i < count; ++i) tell(ready_[i]);
  if (free_.size() == places_.size() || armed_) return;
  if (count < ready_.size()) return arm();
  armed_ = true;
  asio::post(timer_.get_executor(), [this] { turn(); });
}

void ReadTurns::tell(const OsPollSet::Change& change) {
  const Place& place = this->place(change.number);
  if (place.transport == nullptr || place.generation != change.number >> 32) return;
  place.transport->ready(change);
}

// The context ends: coroutines that wait end with it, as those do that wait for Asio.
void ReadTurns::shutdown() {
  std::vector<std::unique_ptr<Waiter>> waiting;
  for (Place& place : places_) {
    waiting.push_back(std::move(place.reader));
    waiting.push_back(std::move(place.writer));
  }
}

}  // namespace

std::unique_ptr<Transport> gather_reads(std::unique_ptr<Transport> transport,
                                        asio::io_context& context) {
  auto socket = take_tcp_socket(*transport);
  if (!socket) return transport;
  error_code error;
  const int fd = socket->release(error);
  if (error) return make_tcp_transport(std::move(*socket));
  auto gathered = std::make_unique<GatheredTransport>(context.get_executor(),
                                                      asio::use_service<ReadTurns>(context));
  if (gathered->begin(fd)) return gathered;
  asio::ip::tcp::socket again(context);
  again.assign(asio::ip::tcp::v4(), fd, error);
  return make_tcp_transport(std::move(again));
}

}  // namespace binnacle::net
