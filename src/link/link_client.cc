#include "link/link_client.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "base/trailing_slash.h"
#include "link/back_off.h"
#include "net/tcp_probe.h"

namespace binnacle::link {
namespace {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using std::chrono::milliseconds;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr milliseconds kConnectTimeout{10'000};
constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kNsPerUs = 1'000;
constexpr int64_t kSteadyMs = 5'000;  // a connection that stood so long was a good one
constexpr std::string_view kPath = "/api/binnacle/v1/link";
constexpr size_t kMaxCloseReason = 120;

// http://host/ -> ws://host/api/binnacle/v1/link
std::string link_url(std::string server) {
  server = without_trailing_slash(std::move(server));
  if (server.starts_with("http")) server.replace(0, 4, "ws");
  return server + std::string(kPath);
}

}  // namespace

// A session at a time on one I/O thread.
class LinkClient::Driver : public std::enable_shared_from_this<Driver> {
 public:
  Driver(LinkClientOptions options, LinkClientHooks hooks, net::Client& client, net::IoThreads& io,
         const Clock& clock, Random& random, Registry& registry)
      : options_(std::move(options)),
        hooks_(std::move(hooks)),
        client_(client),
        clock_(clock),
        executor_(io.next().get_executor()),
        connected_(registry.gauge("binnacle_link_client_connected",
                                  "1 while the link to the server stands.")),
        attempts_(registry.counter("binnacle_link_client_attempts_total",
                                   "Connections to the server that were tried.")),
        beats_(registry.counter("binnacle_link_client_beats_total", "Beats that were sent.")),
        dropped_(registry.counter("binnacle_link_client_frames_dropped_total",
                                  "Check results and events that made room for newer ones, and "
                                  "frames that the server must not send.")),
        back_off_(random, options_.first_wait_ms, options_.longest_wait_ms),
        wake_(executor_),
        timer_(executor_) {}

  void start() {
    started_ = true;
    asio::co_spawn(
        executor_, [self = shared_from_this()]() -> asio::awaitable<void> { co_await self->run(); },
        asio::detached);
  }

  void stop(int64_t grace_ms) EXCLUDES(mu_) {
    if (!started_) return;
    asio::post(executor_, [self = shared_from_this()] {
      self->stopping_ = true;
      if (self->session_) self->happened(client_event::Leave{"the agent stops"});
      self->timer_.cancel();
      self->wake_.cancel();
    });
    constexpr int64_t kStepMs = 100;  // a wake-up before its time does not count
    const MutexLock lock(mu_);
    while (!ended_ && grace_ms > 0) {
      if (!end_.wait_for_ms(mu_, kStepMs)) grace_ms -= kStepMs;
    }
  }

  void queue(Frame frame) EXCLUDES(mu_) {
    {
      const MutexLock lock(mu_);
      if (data_.size() >= options_.max_queued_frames) {
        data_.pop_front();
        ++data_gone_;
        dropped_.add();
      }
      data_.push_back(std::move(frame));
    }
    asio::post(executor_, [self = shared_from_this()] { self->wake_.cancel(); });
  }

  void set_facts(Facts facts) EXCLUDES(mu_) {
    {
      const MutexLock lock(mu_);
      facts_ = std::move(facts);
    }
    asio::post(executor_, [self = shared_from_this()] {
      self->happened(client_event::FactsChanged{self->facts()});
    });
  }

  bool connected() const { return connected_.value() != 0; }

 private:
  using Socket = std::unique_ptr<net::WebSocket>;

  asio::awaitable<void> run() {
    while (!stopping_) {
      const int64_t began_ms = clock_.monotonic_ms();
      refused_ = false;
      co_await attempt();
      if (stopping_) break;
      if (clock_.monotonic_ms() - began_ms >= kSteadyMs && was_up_) back_off_.reset();
      timer_.expires_after(
          milliseconds(back_off_.next_ms(refused_ ? options_.wait_after_refusal_ms : 0)));
      co_await timer_.async_wait(kAwait);
    }
    const MutexLock lock(mu_);
    ended_ = true;
    end_.notify_all();
  }

  asio::awaitable<void> attempt() {
    attempts_.add();
    was_up_ = false;
    auto socket = co_await (connect() || stop_asked());
    if (socket.index() == 1) co_return;
    Result<Socket>& connected = std::get<0>(socket);
    if (!connected) {
      if (hooks_.unreachable) hooks_.unreachable(connected.error());
      co_return;
    }
    socket_ = connected->get();
    ending_.reset();
    urgent_.clear();
    ++generation_;
    session_.emplace(options_.session);
    Hello hello = options_.hello;
    hello.newest_version = kNewestVersion;
    hello.oldest_version = kOldestVersion;
    if (options_.echo != nullptr) hello.echo_address = options_.echo->address();
    if (hooks_.oldest_sample_ms) hello.oldest_sample_ms = hooks_.oldest_sample_ms();
    happened(client_event::Connected{std::move(hello), facts()});
    co_await (read_loop() || write_loop() || beat_loop());
    session_.reset();
    forget_echoes();
    socket_ = nullptr;
    connected_.set(0);
    if (was_up_ && !stopping_ && hooks_.lost)
      hooks_.lost(ending_ ? ending_->reason : "the connection broke");
  }

  asio::awaitable<Result<Socket>> connect() {
    net::ClientRequest request;
    request.url = link_url(options_.server_url);
    request.timeout = kConnectTimeout;
    if (!options_.key.empty()) request.headers.set("Authorization", "Bearer " + options_.key);
    net::WebSocketLimits limits;
    limits.max_message_bytes = kMaxMessageBytes;
    limits.offer_compression = false;
    co_return co_await client_.connect_websocket(std::move(request), limits);
  }

  asio::awaitable<void> stop_asked() {
    while (!stopping_) {
      timer_.expires_at(asio::steady_timer::time_point::max());
      co_await timer_.async_wait(kAwait);
    }
  }

  asio::awaitable<void> read_loop() {
    for (;;) {
      const auto message = co_await socket_->read();
      if (!message) {
        if (!ending_) ending_ = client_action::Close{0, message.error().message};
        co_return;
      }
      const auto decoded = decode_message(message->text ? std::string_view() : message->data);
      if (message->text || !decoded) {
        act(client_action::Close{
            1002, message->text ? "a text message on the link" : decoded.error().message});
        continue;
      }
      for (const Frame& frame : decoded->frames) happened(client_event::Received{frame});
    }
  }

  // Beats and answers first; check results and events one at a time between them.
  asio::awaitable<void> write_loop() {
    for (;;) {
      std::string message;
      size_t gone = 0;
      bool data = false;
      if (!urgent_.empty()) {
        append_frame(urgent_.front(), message);
        urgent_.pop_front();
      } else if (ending_) {
        co_await socket_->close(ending_->code == 0 ? 1000 : ending_->code,
                                ending_->reason.substr(0, kMaxCloseReason));
        co_return;
      } else if (session_->up() && peek_data(message, gone)) {
        data = true;
      } else {
        wake_.expires_at(asio::steady_timer::time_point::max());
        co_await wake_.async_wait(kAwait);
        continue;
      }
      if (!co_await socket_->write_binary(message)) co_return;
      if (data) pop_data(gone);
    }
  }

  bool peek_data(std::string& message, size_t& gone) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    if (data_.empty()) return false;
    append_frame(data_.front(), message);
    gone = data_gone_;
    return true;
  }

  // The front that was written, unless it made room for a newer one meanwhile.
  void pop_data(size_t gone) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    if (gone != data_gone_ || data_.empty()) return;
    data_.pop_front();
    ++data_gone_;
  }

  Facts facts() EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    return facts_;
  }

  // The beat's own timer tells how busy this thread is: what delays a beat shows in the beat.
  asio::awaitable<void> beat_loop() {
    for (;;) {
      const int64_t wait_ms =
          std::clamp<int64_t>(session_->next_due_ms() - clock_.monotonic_ms(), 0, 60'000);
      const int64_t due_ns = clock_.monotonic_ns() + wait_ms * kNsPerMs;
      timer_.expires_after(milliseconds(wait_ms));
      bool ran_out = false;
      if (wait_ms > 0) ran_out = !std::get<0>(co_await timer_.async_wait(kAwait));
      const int64_t late_ns = ran_out ? clock_.monotonic_ns() - due_ns : 0;
      happened(client_event::Tick{.loop_lag_us = std::max<int64_t>(late_ns, 0) / kNsPerUs,
                                  .load = hooks_.load ? hooks_.load() : std::nullopt});
      if (ending_) co_await idle();
    }
  }

  // Leaves the end to the writer.
  asio::awaitable<void> idle() {
    asio::steady_timer never(executor_, asio::steady_timer::time_point::max());
    co_await never.async_wait(kAwait);
  }

  void happened(ClientEvent event) {
    if (!session_ || ending_) return;
    ClientActions actions =
        session_->step(clock_.monotonic_ms(), clock_.wall_ns(), std::move(event));
    for (ClientAction& action : actions) {
      std::visit([this](auto&& a) { act(std::move(a)); }, action);
    }
  }

  void act(client_action::Send action) {
    if (std::holds_alternative<Beat>(action.frame)) beats_.add();
    urgent_.push_back(std::move(action.frame));
    wake_.cancel();
  }
  void act(client_action::Accepted action) {
    was_up_ = true;
    connected_.set(1);
    timer_.cancel();
    wake_.cancel();
    if (options_.echo != nullptr) options_.echo->set_key(action.reply.echo_key);
    if (hooks_.accepted) hooks_.accepted(action.reply);
  }
  void act(client_action::Refused action) {
    refused_ = true;
    if (hooks_.refused) hooks_.refused(action.reply);
  }
  void act(client_action::Probe action) {
    asio::co_spawn(executor_, probe(shared_from_this(), std::move(action.request), generation_),
                   asio::detached);
  }
  void act(const client_action::Echo& action) {
    const EchoRequest& request = action.request;
    if (request.duration_ms == 0) {
      const auto running = echoes_.find(request.id);
      if (running != echoes_.end()) options_.echo->cancel(running->second);
      return;
    }
    const auto started = start_echo(request);
    if (started) {
      echoes_[request.id] = *started;
    } else {
      happened(client_event::EchoProgress{
          {.id = request.id, .done = true, .error = started.error().message}});
    }
  }
  void act(client_action::Tell action) {
    if (const auto* pace = std::get_if<Pace>(&action.frame)) {
      if (hooks_.pace) hooks_.pace(pace->interval_ms);
    } else if (const auto* peers = std::get_if<Peers>(&action.frame)) {
      if (hooks_.peers) hooks_.peers(*peers);
    } else if (const auto* drain = std::get_if<Drain>(&action.frame)) {
      if (hooks_.drain) hooks_.drain(drain->reason);
    }
  }
  void act(client_action::Drop) { dropped_.add(); }
  void act(client_action::Close action) {
    if (!ending_) ending_ = std::move(action);
    wake_.cancel();
  }

  Result<uint64_t> start_echo(const EchoRequest& request) {
    if (options_.echo == nullptr) {
      return fail(Code::kFailedPrecondition, "this agent has no echo socket");
    }
    const auto told = [weak = weak_from_this(), id = request.id,
                       generation = generation_](const net::EchoProgress& progress) {
      const auto self = weak.lock();
      if (self == nullptr) return;
      asio::post(self->executor_, [self, id, generation, progress] {
        if (self->generation_ == generation) self->echo_told(id, progress);
      });
    };
    return options_.echo->start(request.address, milliseconds(request.interval_ms),
                                milliseconds(request.duration_ms), told);
  }

  void echo_told(uint64_t id, const net::EchoProgress& progress) {
    if (progress.done) echoes_.erase(id);
    happened(client_event::EchoProgress{{.id = id,
                                         .sent = progress.sent,
                                         .answered = progress.answered,
                                         .round_trip_ns = progress.round_trip_ns,
                                         .done = progress.done}});
  }

  // The key stays: a server that lost this connection asks whether the node lives.
  void forget_echoes() {
    for (const auto& [id, running] : std::exchange(echoes_, {})) options_.echo->cancel(running);
  }

  static asio::awaitable<void> probe(std::shared_ptr<Driver> self, ProbeRequest request,
                                     uint64_t generation) {
    ProbeReply reply{.id = request.id};
    const auto took =
        co_await net::probe_tcp(request.address, milliseconds(request.timeout_ms), self->clock_);
    if (took) {
      reply.reached = true;
      reply.round_trip_ns = *took;
    } else {
      reply.error = took.error().message;
    }
    if (self->generation_ == generation) {
      self->happened(client_event::ProbeDone{std::move(reply)});
    }
  }

  // Fixed after construction.
  const LinkClientOptions options_;
  const LinkClientHooks hooks_;
  net::Client& client_;
  const Clock& clock_;
  const asio::any_io_executor executor_;
  Gauge& connected_;
  Counter& attempts_;
  Counter& beats_;
  Counter& dropped_;

  // Owner's thread only.
  bool started_ = false;

  // Executor only.
  BackOff back_off_;
  asio::steady_timer wake_;   // of the writer
  asio::steady_timer timer_;  // of whoever waits for a time: the next attempt, the next beat
  net::WebSocket* socket_ = nullptr;
  std::optional<ClientSession> session_;
  std::optional<client_action::Close> ending_;
  std::deque<Frame> urgent_;
  std::map<uint64_t, uint64_t> echoes_;  // the server's id -> the echo socket's
  uint64_t generation_ = 0;  // of the session: a late probe of the one before is not told
  bool was_up_ = false;
  bool refused_ = false;
  bool stopping_ = false;

  Mutex mu_;
  CondVar end_;
  bool ended_ GUARDED_BY(mu_) = false;
  std::deque<Frame> data_ GUARDED_BY(mu_);
  size_t data_gone_ GUARDED_BY(mu_) = 0;  // how many have left the front
  Facts facts_ GUARDED_BY(mu_);
};

LinkClient::LinkClient(LinkClientOptions options, LinkClientHooks hooks, net::Client& client,
                       net::IoThreads& io, const Clock& clock, Random& random, Registry& registry)
    : driver_(std::make_shared<Driver>(std::move(options), std::move(hooks), client, io, clock,
                                       random, registry)) {}

LinkClient::~LinkClient() { stop(); }

void LinkClient::start() { driver_->start(); }
void LinkClient::stop(int64_t grace_ms) { driver_->stop(grace_ms); }
void LinkClient::send(CheckResult result) { driver_->queue(std::move(result)); }
void LinkClient::send(NodeEvent event) { driver_->queue(std::move(event)); }
void LinkClient::set_facts(Facts facts) { driver_->set_facts(std::move(facts)); }
bool LinkClient::connected() const { return driver_->connected(); }

}  // namespace binnacle::link
