#include "net/echo_socket.h"

#include "base/mutex.h"
#include "net/echo_datagram.h"
#include "net/listen_address.h"
#include "net/sender_rates.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

namespace binnacle::net {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kReceivePause{100};  // after a failure of the socket

// Of one address however it is written, so that a sender has one share.
asio::ip::address plain(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address;
}

bool is_one_host(const asio::ip::address& address) {
  return !address.is_unspecified() && !address.is_multicast() &&
         address != asio::ip::address(asio::ip::address_v4::broadcast());
}

struct Question {
  Question(const asio::any_io_executor& executor, udp::endpoint e, EchoSocket::OnProgress on)
      : to(std::move(e)), on_progress(std::move(on)), timer(executor) {}

  const udp::endpoint to;
  const EchoSocket::OnProgress on_progress;
  asio::steady_timer timer;
  EchoProgress progress;
  std::vector<int64_t> asked_ns;  // by number, from 1; 0: was not sent, or is answered
  bool cancelled = false;
};

struct EchoInstruments {
  explicit EchoInstruments(Registry& r)
      : registry(r),
        sent(r.counter("binnacle_echo_requests_total", "Echo requests that were sent.")),
        received(r.counter("binnacle_echo_replies_total", "Answers that came to echo requests.")),
        answered(r.counter("binnacle_echo_answered_total", "Echo requests that were answered.")),
        failed(r.counter("binnacle_echo_send_failures_total",
                         "Echo datagrams that this machine could not send.")) {}
  void dropped(std::string_view reason) {
    registry
        .counter("binnacle_echo_dropped_total",
                 "Datagrams that came to the echo socket and were not taken, by reason.",
                 {{"reason", std::string(reason)}})
        .add();
  }

  Registry& registry;
  Counter& sent;
  Counter& received;
  Counter& answered;
  Counter& failed;
};

}  // namespace

class EchoSocket::Driver : public std::enable_shared_from_this<Driver> {
 public:
  Driver(asio::io_context& context, const Clock& clock, Random& random, Registry& registry,
         const EchoOptions& options)
      : clock_(clock),
        executor_(context.get_executor()),
        options_(options),
        instruments_(registry),
        socket_(executor_),
        rates_(options.answers_per_second, options.answer_burst, options.max_senders),
        random_(random) {}

  error_code bind(const udp::endpoint& endpoint) {
    error_code error;
    socket_.open(endpoint.protocol(), error);
    if (!error && endpoint.address().is_v6()) socket_.set_option(asio::ip::v6_only(false), error);
    if (!error) socket_.bind(endpoint, error);
    if (!error) socket_.non_blocking(true, error);
    if (!error) ::fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
    if (!error) bound_ = socket_.local_endpoint(error);
    return error;
  }

  void listen() { asio::co_spawn(executor_, receive_all(shared_from_this()), asio::detached); }

  void close() {
    asio::post(executor_, [self = shared_from_this()] {
      error_code ignored;
      self->closed_ = true;
      self->socket_.close(ignored);
      for (const auto& [id, question] : self->running_) question->timer.cancel();
      self->running_.clear();
    });
  }

  const udp::endpoint& bound() const { return bound_; }

  void set_key(std::string key) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    key_ = key.size() < kMinEchoKeyBytes ? "" : std::move(key);
  }

  Result<uint64_t> start(const std::string& address, std::chrono::milliseconds interval,
                         std::chrono::milliseconds duration, OnProgress on_progress) EXCLUDES(mu_) {
    TRY_ASSIGN(udp::endpoint to, endpoint_of(address));
    uint64_t id = 0;
    {
      const MutexLock lock(mu_);
      if (key_.empty()) {
        return fail(Code::kFailedPrecondition,
                    "echo to " + address + ": no echo key yet; the server gives it");
      }
      if (count_ >= options_.max_running) {
        return fail(Code::kResourceExhausted, "echo to " + address + ": too many run at a time");
      }
      ++count_;
      id = random_.next();
    }
    auto question = std::make_shared<Question>(executor_, to, std::move(on_progress));
    asio::co_spawn(executor_,
                   ask(shared_from_this(), id, std::move(question),
                       std::max(interval, std::chrono::milliseconds(1)), duration),
                   asio::detached);
    return id;
  }

  void cancel(uint64_t id) {
    asio::post(executor_, [self = shared_from_this(), id] {
      const auto it = self->running_.find(id);
      if (it == self->running_.end()) return;
      it->second->cancelled = true;
      it->second->timer.cancel();
    });
  }

 private:
  // As the socket's family has it.
  Result<udp::endpoint> endpoint_of(const std::string& text) const {
    TRY_ASSIGN(const ListenAddress parsed, ListenAddress::parse(text));
    error_code error;
    asio::ip::address address = asio::ip::make_address(parsed.host, error);
    if (error || parsed.port == 0 || !parsed.unix_path.empty() || !is_one_host(plain(address))) {
      return fail(Code::kInvalidArgument,
                  "echo to " + text + ": not a host's address and port, as 10.0.0.7:4711");
    }
    address = plain(address);
    if (bound_.address().is_v4() && address.is_v6()) {
      return fail(Code::kInvalidArgument, "echo to " + text + ": the echo socket is IPv4 alone");
    }
    if (bound_.address().is_v6() && address.is_v4()) {
      address = asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4());
    }
    return udp::endpoint(address, parsed.port);
  }

  std::string key() EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    return key_;
  }

  static asio::awaitable<void> ask(std::shared_ptr<Driver> self, uint64_t id,
                                   std::shared_ptr<Question> question,
                                   std::chrono::milliseconds interval,
                                   std::chrono::milliseconds duration) {
    self->running_[id] = question;
    const int64_t interval_ns = std::chrono::nanoseconds(interval).count();
    int64_t due_ns = self->clock_.monotonic_ns();
    const int64_t end_ns = due_ns + std::chrono::nanoseconds(duration).count();
    while (!self->closed_ && !question->cancelled && due_ns < end_ns) {
      self->send_request(id, *question);
      // A loop that stood still does not make up for what it missed.
      const int64_t now_ns = self->clock_.monotonic_ns();
      due_ns = std::max(due_ns + interval_ns, now_ns);
      question->timer.expires_after(std::chrono::nanoseconds(due_ns - now_ns));
      co_await question->timer.async_wait(kAwait);
    }
    self->running_.erase(id);
    {
      const MutexLock lock(self->mu_);
      --self->count_;
    }
    if (self->closed_) co_return;
    question->progress.done = true;
    question->on_progress(question->progress);
  }

  void send_request(uint64_t id, Question& question) {
    question.asked_ns.push_back(0);
    const auto number = static_cast<uint32_t>(question.asked_ns.size());
    if (!send({EchoKind::kRequest, id, number}, key(), question.to)) return;
    question.asked_ns.back() = clock_.monotonic_ns();
    ++question.progress.sent;
    instruments_.sent.add();
  }

  // A full send buffer loses the datagram, as the network may.
  bool send(const EchoDatagram& echo, const std::string& key, const udp::endpoint& to) {
    if (key.empty()) return false;
    error_code error;
    socket_.send_to(asio::buffer(write_echo(echo, key)), to, 0, error);
    if (error) instruments_.failed.add();
    return !error;
  }

  static asio::awaitable<void> receive_all(std::shared_ptr<Driver> self) {
    std::array<char, kEchoDatagramBytes + 1> buffer{};  // one byte more than is taken
    udp::endpoint from;
    asio::steady_timer pause(self->executor_);
    while (!self->closed_) {
      const auto [error, size] =
          co_await self->socket_.async_receive_from(asio::buffer(buffer), from, kAwait);
      if (error == asio::error::operation_aborted) co_return;
      if (error) {
        pause.expires_after(kReceivePause);
        co_await pause.async_wait(kAwait);
        continue;
      }
      self->received({buffer.data(), size}, from);
    }
  }

  void received(std::string_view bytes, const udp::endpoint& from) {
    const std::string known_key = key();
    if (known_key.empty()) return instruments_.dropped("no_key");
    const auto echo = read_echo(bytes, known_key);
    if (!echo) return instruments_.dropped(echo_flaw_name(echo.error()));
    if (echo->kind == EchoKind::kReply) return answered(*echo);
    if (running_.contains(echo->id)) return instruments_.dropped("reflected");
    if (!rates_.take(plain(from.address()).to_string(), clock_.monotonic_ns())) {
      return instruments_.dropped("rate");
    }
    if (send({EchoKind::kReply, echo->id, echo->number}, known_key, from)) {
      instruments_.answered.add();
    }
  }

  void answered(const EchoDatagram& reply) {
    const auto it = running_.find(reply.id);
    if (it == running_.end()) return instruments_.dropped("late");
    // The map may change while progress is told.
    const std::shared_ptr<Question> question = it->second;
    if (reply.number == 0 || reply.number > question->asked_ns.size() ||
        question->asked_ns[reply.number - 1] == 0) {
      return instruments_.dropped("late");
    }
    const int64_t asked_ns = std::exchange(question->asked_ns[reply.number - 1], 0);
    const int64_t took_ns = std::max<int64_t>(clock_.monotonic_ns() - asked_ns, 1);
    EchoProgress& progress = question->progress;
    instruments_.received.add();
    if (progress.answered == 0 || took_ns < progress.round_trip_ns) {
      progress.round_trip_ns = took_ns;
    }
    if (++progress.answered == 1) question->on_progress(progress);
  }

  // Fixed after construction and bind().
  const Clock& clock_;
  const asio::any_io_executor executor_;
  const EchoOptions options_;
  EchoInstruments instruments_;
  udp::endpoint bound_;

  // Executor only.
  udp::socket socket_;
  SenderRates rates_;
  std::map<uint64_t, std::shared_ptr<Question>> running_;
  bool closed_ = false;

  Mutex mu_;
  Random& random_ GUARDED_BY(mu_);
  std::string key_ GUARDED_BY(mu_);  // "": none
  size_t count_ GUARDED_BY(mu_) = 0;
};

Result<std::unique_ptr<EchoSocket>> EchoSocket::open(asio::io_context& context,
                                                     const std::string& address, const Clock& clock,
                                                     Random& random, Registry& registry,
                                                     const EchoOptions& options) {
  TRY_ASSIGN(const ListenAddress parsed, ListenAddress::parse(address));
  error_code error;
  const bool all = parsed.host.empty();
  const auto host = all ? asio::ip::address(asio::ip::address_v6::any())
                        : asio::ip::make_address(parsed.host, error);
  if (error || !parsed.unix_path.empty()) {
    return fail(Code::kInvalidArgument,
                "listen for echoes on " + address + ": write :port, or an address and a port");
  }
  auto driver = std::make_shared<Driver>(context, clock, random, registry, options);
  error = driver->bind({host, parsed.port});
  // A machine without IPv6.
  if (error && all) {
    driver = std::make_shared<Driver>(context, clock, random, registry, options);
    error = driver->bind({asio::ip::address_v4::any(), parsed.port});
  }
  if (error) {
    return fail(Code::kFailedPrecondition,
                "listen for echoes on " + address + ": " + error.message());
  }
  driver->listen();
  return std::unique_ptr<EchoSocket>(new EchoSocket(std::move(driver)));
}

EchoSocket::EchoSocket(std::shared_ptr<Driver> driver) : driver_(std::move(driver)) {}

EchoSocket::~EchoSocket() { driver_->close(); }

std::string EchoSocket::address() const {
  const udp::endpoint& bound = driver_->bound();
  if (bound.address().is_unspecified()) return ":" + std::to_string(bound.port());
  return format_host_port(bound.address().to_string(), bound.port());
}

void EchoSocket::set_key(std::string key) { driver_->set_key(std::move(key)); }

Result<uint64_t> EchoSocket::start(const std::string& address, std::chrono::milliseconds interval,
                                   std::chrono::milliseconds duration, OnProgress on_progress) {
  return driver_->start(address, interval, duration, std::move(on_progress));
}

void EchoSocket::cancel(uint64_t id) { driver_->cancel(id); }

}  // namespace binnacle::net
