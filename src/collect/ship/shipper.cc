#include "collect/ship/shipper.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

#include <fmt/format.h>

#include "base/check.h"
#include "base/kill_points.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "collect/ship/replay_throttle.h"
#include "collect/ship/send_policy.h"
#include "collect/ship/send_round.h"
#include "collect/ship/ship_instruments.h"
#include "net/http_peer.h"

namespace binnacle::collect::ship {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr int64_t kUpkeepMs = 1000;      // syncs of the queue, gauges
constexpr int64_t kComplainMs = 60'000;  // between two log lines of one kind
constexpr size_t kMostAnswerBytes = size_t{1} << 20;

net::ClientOptions client_limits(const ShipperOptions& options) {
  net::ClientOptions limits;
  limits.max_idle_per_host = options.max_shards + 1;
  limits.max_connections_per_host = options.max_shards + 1;
  return limits;
}

Status check(const ShipperOptions& options) {
  const auto refuse = [&options](std::string_view what) {
    return fail(Code::kInvalidArgument, fmt::format("remote write {}: {}", options.name, what));
  };
  const auto url = net::Url::parse(options.url);
  if (!url) return fail(Error(url.error()).with_context("remote write " + options.name));
  if (url->scheme != "http" && url->scheme != "https") return refuse("the URL is not http(s)");
  if (options.min_shards == 0 || options.min_shards > options.max_shards)
    return refuse("min_shards must be at least 1 and not above max_shards");
  if (options.max_samples_per_send == 0 || options.max_metadata_per_send == 0)
    return refuse("max_samples_per_send must be at least 1");
  if (options.min_backoff_ms <= 0 || options.min_backoff_ms > options.max_backoff_ms)
    return refuse("min_backoff must be above 0 and not above max_backoff");
  if (options.remote_timeout_ms <= 0) return refuse("remote_timeout must be above 0");
  return {};
}

std::string plain_url(const std::string& text) {
  const auto url = net::Url::parse(text);
  if (!url) return {};
  return url->scheme + "://" + url->authority() + url->target.substr(0, url->target.find('?'));
}

}  // namespace

struct Shipper::Impl {
  Impl(ShipperOptions opts, std::shared_ptr<SampleQueue> q, ShipperDeps d)
      : options(std::move(opts)),
        url(plain_url(options.url)),
        queue(std::move(q)),
        deps(std::move(d)),
        instruments(deps.registry, options.name),
        peer(options.http, deps.files, deps.clock, client_limits(options)),
        maker(options),
        throttle(options.replay_samples_per_second) {}

  enum class Cargo : uint8_t {
    kSamples,
    kRepeated,  // samples that the receiver took once: it may refuse them now
    kMetadata,  // tried once
  };
  // One shard's requests on their way.
  struct Flight {
    explicit Flight(asio::io_context& context) : io(context), pause(context) {}
    asio::io_context& io;
    asio::steady_timer pause;          // io only
    asio::cancellation_signal cancel;  // io only
    std::vector<ShipRequest> requests;
    Cargo cargo = Cargo::kSamples;
  };

  // The thread.
  void run();
  void upkeep();
  void keep_durable();
  void wait_for_batch();
  bool wait_for_turn();
  void send_chunk();
  void settle();
  void send_metadata();
  bool send_all(std::vector<std::vector<ShipRequest>> shards, Cargo cargo) EXCLUDES(mu);
  bool take_off(std::vector<std::vector<ShipRequest>> shards, Cargo cargo) EXCLUDES(mu);
  bool landed_within(int64_t ms) EXCLUDES(mu);

  // On `io`.
  asio::awaitable<void> fly(std::shared_ptr<Flight> flight);
  asio::awaitable<bool> deliver(Flight& flight, const ShipRequest& request);
  asio::awaitable<SendVerdict> attempt(const ShipRequest& request);
  asio::awaitable<void> rest(Flight& flight, int64_t ms);
  void landed() EXCLUDES(mu);
  void count(const Flight& flight, const ShipRequest& request, const SendVerdict& verdict)
      EXCLUDES(mu);
  void complain(const SendVerdict& verdict, uint64_t samples) REQUIRES(mu);

  void begin_stop() EXCLUDES(mu);
  void stop() EXCLUDES(mu);
  bool wait_landed() EXCLUDES(mu);

  // Fixed after construction.
  const ShipperOptions options;
  const std::string url;
  const std::shared_ptr<SampleQueue> queue;  // shared with the tee, and the next Shipper
  const ShipperDeps deps;
  ShipInstruments instruments;
  net::HttpPeer peer;
  const Log log{"ship"};

  // The thread only.
  RoundMaker maker;
  ReplayThrottle throttle;
  QueueChunk chunk;
  int64_t last_upkeep_ms = 0;
  int64_t unsent_since_ms = 0;  // something waits since, or since the last sync; 0: nothing does
  int64_t last_metadata_ms = 0;
  uint64_t appended_before = 0;
  double incoming = 0;  // samples a second
  bool behind = false;
  // Delivered chunks that the receiver may not have made durable yet: where they begin, and when
  // they arrived, by monotonic time.
  std::deque<std::pair<QueueMark, int64_t>> settling;
  QueueMark delivered_to;  // what is read before it arrived once

  std::atomic<bool> stopping = false;
  std::atomic<bool> broken = false;        // a connection, since the last round ended
  std::atomic<int64_t> broken_ms = 0;      // when that began
  std::atomic<int64_t> not_before_ms = 0;  // the receiver asked for a pause until then

  mutable Mutex mu;
  CondVar changed;
  std::vector<std::shared_ptr<Flight>> flights GUARDED_BY(mu);
  size_t in_flight GUARDED_BY(mu) = 0;
  int64_t give_up_ms GUARDED_BY(mu) = 0;    // when stopping: on those in flight
  bool undelivered GUARDED_BY(mu) = false;  // of this round
  int64_t last_success_ms GUARDED_BY(mu) = 0;
  std::string last_error GUARDED_BY(mu);
  int64_t complained_failed_ms GUARDED_BY(mu) = 0;
  int64_t complained_refused_ms GUARDED_BY(mu) = 0;

  ThreadPool thread{"ship", 1, 1};
};

// --- the thread ---

void Shipper::Impl::run() {
  appended_before = queue->appended_samples();
  queue->begin_reading();
  const SampleQueue::Kept kept = queue->kept();
  delivered_to = kept.to;
  if (options.resend_ms > 0 && kept.from < kept.to)
    settling.emplace_back(kept.from, deps.clock.monotonic_ms());
  while (!stopping) {
    wait_for_batch();
    if (stopping || queue->unread_samples() == 0) continue;
    if (wait_for_turn()) send_chunk();
  }
}

// Until there is enough for a request, or the oldest of less has waited for long enough.
void Shipper::Impl::wait_for_batch() {
  while (!stopping) {
    upkeep();
    if (queue->wait_ms(kUpkeepMs)) break;
  }
  if (unsent_since_ms == 0) unsent_since_ms = deps.clock.monotonic_ms();
  const int64_t deadline_ms = deps.clock.monotonic_ms() + options.batch_send_deadline_ms;
  while (!stopping && queue->unread_samples() < options.max_samples_per_send) {
    upkeep();
    const int64_t left_ms = deadline_ms - deps.clock.monotonic_ms();
    if (left_ms <= 0) return;
    queue->wait_ms(std::min(left_ms, kUpkeepMs), options.max_samples_per_send);
  }
}

// What arrives within a moment needs no disk: only what waits longer is made durable.
void Shipper::Impl::keep_durable() {
  const int64_t now_ms = deps.clock.monotonic_ms();
  if (unsent_since_ms == 0 || now_ms - unsent_since_ms < options.sync_after_ms) return;
  unsent_since_ms = now_ms;
  if (const Status synced = queue->sync(); !synced)
    log.warn("a queue cannot be made durable",
             {{"destination", options.name}, {"error", synced.error().message}});
}

void Shipper::Impl::upkeep() {
  keep_durable();
  const int64_t now_ms = deps.clock.monotonic_ms();
  if (last_upkeep_ms != 0 && now_ms - last_upkeep_ms < kUpkeepMs) return;
  const auto oldest_ms = queue->oldest_time();
  const int64_t age_ms = oldest_ms ? deps.clock.wall_ms() - *oldest_ms : 0;
  instruments.oldest_seconds.set(static_cast<double>(std::max<int64_t>(0, age_ms)) / 1000);
  behind = age_ms > options.replay_after_ms;
  if (last_upkeep_ms != 0) {
    constexpr double kNewest = 0.2;  // its weight in the mean
    const uint64_t appended = queue->appended_samples();
    const double rate = static_cast<double>(appended - appended_before) * 1000 /
                        static_cast<double>(now_ms - last_upkeep_ms);
    incoming += kNewest * (rate - incoming);
    appended_before = appended;
  }
  last_upkeep_ms = now_ms;
  const bool metadata_due =
      last_metadata_ms == 0 || now_ms - last_metadata_ms >= options.metadata_interval_ms;
  if (options.send_metadata && deps.metadata && metadata_due) send_metadata();
}

// A replay waits here for its share; false when it is time to stop.
bool Shipper::Impl::wait_for_turn() {
  while (!stopping) {
    const int64_t wait_ms = throttle.wait_ms(deps.clock.monotonic_ms(), behind, incoming);
    if (wait_ms == 0) return true;
    {
      const MutexLock held(mu);
      if (!stopping) changed.wait_for_ms(mu, std::min(wait_ms, kUpkeepMs));
    }
    upkeep();
  }
  return false;
}

void Shipper::Impl::send_chunk() {
  size_t most = options.max_shards * options.max_samples_per_send;
  if (behind && options.replay_samples_per_second > 0)
    most = std::min(most, static_cast<size_t>(options.replay_samples_per_second) + 1);
  const auto more = queue->read(most, chunk, delivered_to);
  if (!more) {
    log.error("a queue cannot be read",
              {{"destination", options.name}, {"error", more.error().message}});
    const MutexLock held(mu);
    if (!stopping) changed.wait_for_ms(mu, options.max_backoff_ms);
    return;
  }
  if (!*more) return;
  SendRound round = maker.make(chunk, deps.clock.wall_ms());
  instruments.relabelled.add(static_cast<double>(round.relabelled));
  instruments.too_old.add(static_cast<double>(round.too_old));
  instruments.shards.set(static_cast<double>(round.shards.size()));
  throttle.spent(round.samples);
  const bool again = chunk.begin < delivered_to;
  const bool delivered =
      send_all(std::move(round.shards), again ? Cargo::kRepeated : Cargo::kSamples);
  kill_point("ship.delivered");
  if (!delivered) return;
  settle();
  unsent_since_ms = queue->unread_samples() == 0 ? 0 : deps.clock.monotonic_ms();
}

// The chunk has arrived. It stays at hand until the receiver has had the time to make it durable;
// where it was away meanwhile, all of that goes out again.
void Shipper::Impl::settle() {
  const int64_t now_ms = deps.clock.monotonic_ms();
  if (options.resend_ms > 0) settling.push_back({chunk.begin, now_ms});
  const bool was_away = broken.exchange(false) && !settling.empty();
  // What lies so long before the receiver went away, it has saved.
  const int64_t until_ms = was_away ? broken_ms - options.resend_ms : now_ms - options.resend_ms;
  while (!settling.empty() && settling.front().second < until_ms) settling.pop_front();
  if (delivered_to < chunk.end) delivered_to = chunk.end;
  queue->acknowledge(chunk, settling.empty() ? chunk.end : settling.front().first);
  if (!was_away || settling.empty()) return;
  instruments.resends.add();
  log.info("a receiver was away; what it took last is sent again",
           {{"destination", options.name}, {"rounds", settling.size()}});
  queue->rewind(settling.front().first);
  settling.clear();
}

void Shipper::Impl::send_metadata() {
  last_metadata_ms = deps.clock.monotonic_ms();
  auto requests = maker.metadata(deps.metadata());
  if (requests.empty()) return;
  std::vector<std::vector<ShipRequest>> one;
  one.push_back(std::move(requests));
  send_all(std::move(one), Cargo::kMetadata);
}

// True when all has arrived or was refused for good, false when it was time to stop.
bool Shipper::Impl::send_all(std::vector<std::vector<ShipRequest>> shards, Cargo cargo) {
  if (!take_off(std::move(shards), cargo)) return false;
  while (!landed_within(options.sync_after_ms)) keep_durable();
  const MutexLock held(mu);
  flights.clear();
  return !undelivered;
}

// False when it is time to stop.
bool Shipper::Impl::take_off(std::vector<std::vector<ShipRequest>> shards, Cargo cargo) {
  const MutexLock held(mu);
  if (stopping) return false;
  undelivered = false;
  for (auto& requests : shards) {
    auto flight = std::make_shared<Flight>(deps.io.next());
    flight->requests = std::move(requests);
    flight->cargo = cargo;
    flights.push_back(flight);
    ++in_flight;
    asio::co_spawn(flight->io, fly(flight),
                   asio::bind_cancellation_slot(flight->cancel.slot(),
                                                [this, flight](const std::exception_ptr& thrown) {
                                                  if (thrown) {
                                                    const MutexLock lock(mu);
                                                    undelivered = true;
                                                  }
                                                  landed();
                                                }));
  }
  return true;
}

// False when that did not happen in time.
bool Shipper::Impl::landed_within(int64_t ms) {
  const MutexLock held(mu);
  if (in_flight > 0) changed.wait_for_ms(mu, ms);
  return in_flight == 0;
}

void Shipper::Impl::landed() {
  const MutexLock held(mu);
  --in_flight;
  changed.notify_all();
}

// --- on the I/O threads ---

asio::awaitable<void> Shipper::Impl::fly(std::shared_ptr<Flight> flight) {
  for (const ShipRequest& request : flight->requests) {
    if (co_await deliver(*flight, request)) continue;
    const MutexLock held(mu);
    undelivered = true;
    co_return;
  }
}

// False when it is time to stop.
asio::awaitable<bool> Shipper::Impl::deliver(Flight& flight, const ShipRequest& request) {
  Backoff backoff(options, deps.random);
  while (!stopping) {
    const int64_t pause_ms = not_before_ms - deps.clock.monotonic_ms();
    if (pause_ms > 0) {
      co_await rest(flight, pause_ms);
      continue;
    }
    const SendVerdict verdict = co_await attempt(request);
    count(flight, request, verdict);
    if (verdict.outcome == SendOutcome::kOk || verdict.outcome == SendOutcome::kRefused ||
        flight.cargo == Cargo::kMetadata)
      co_return true;
    if (verdict.wait_ms > 0) not_before_ms = deps.clock.monotonic_ms() + verdict.wait_ms;
    co_await rest(flight, backoff.next_ms());
  }
  co_return false;
}

asio::awaitable<SendVerdict> Shipper::Impl::attempt(const ShipRequest& request) {
  net::ClientRequest out;
  out.method = net::Method::kPost;
  out.url = options.url;
  for (const auto& [name, value] : options.headers) out.headers.set(name, value);
  out.headers.set("Content-Encoding", "snappy");
  out.headers.set("Content-Type", "application/x-protobuf");
  out.headers.set("X-Prometheus-Remote-Write-Version", "0.1.0");
  out.body = request.body;
  out.timeout = milliseconds(options.remote_timeout_ms);
  out.max_body_bytes = kMostAnswerBytes;
  const int64_t begin_ns = deps.clock.monotonic_ns();
  const auto answer = co_await peer.send(std::move(out));
  instruments.seconds.observe(static_cast<double>(deps.clock.monotonic_ns() - begin_ns) / 1e9);
  if (!answer && !broken) {
    broken_ms = begin_ns / 1'000'000;
    broken = true;
  }
  co_return judge(answer, options, deps.clock.wall_ms());
}

asio::awaitable<void> Shipper::Impl::rest(Flight& flight, int64_t ms) {
  flight.pause.expires_after(milliseconds(ms));
  if (!stopping) co_await flight.pause.async_wait(asio::as_tuple(asio::use_awaitable));
}

void Shipper::Impl::count(const Flight& flight, const ShipRequest& request,
                          const SendVerdict& verdict) {
  const auto amount = static_cast<double>(request.samples);
  const MutexLock held(mu);
  switch (verdict.outcome) {
    case SendOutcome::kOk:
      instruments.requests_ok.add();
      instruments.bytes.add(static_cast<double>(request.body.size()));
      (flight.cargo == Cargo::kMetadata ? instruments.metadata : instruments.samples).add(amount);
      last_success_ms = deps.clock.wall_ms();
      if (!last_error.empty())
        log.info("a receiver takes samples", {{"destination", options.name}});
      last_error.clear();
      return;
    case SendOutcome::kRefused:
      instruments.requests_refused.add();
      if (flight.cargo == Cargo::kRepeated) return;
      if (flight.cargo == Cargo::kSamples) instruments.refused.add(amount);
      break;
    case SendOutcome::kFailed:
    case SendOutcome::kSlowed:
      (verdict.outcome == SendOutcome::kFailed ? instruments.requests_failed
                                               : instruments.requests_slowed)
          .add();
      if (flight.cargo != Cargo::kMetadata) instruments.retried.add(amount);
  }
  complain(verdict, request.samples);
}

// What repeats itself is said once a minute.
void Shipper::Impl::complain(const SendVerdict& verdict, uint64_t samples) {
  const int64_t now_ms = deps.clock.monotonic_ms();
  const bool refused = verdict.outcome == SendOutcome::kRefused;
  int64_t& last_ms = refused ? complained_refused_ms : complained_failed_ms;
  const bool again = last_ms != 0 && now_ms - last_ms < kComplainMs;
  last_error = verdict.words;
  if (again) return;
  last_ms = now_ms;
  log.warn(refused ? "a receiver refused samples, they are dropped"
                   : "a receiver takes no samples now, they wait",
           {{"destination", options.name},
            {"url", url},
            {"samples", samples},
            {"error", verdict.words}});
}

// --- the end ---

void Shipper::Impl::begin_stop() {
  {
    const MutexLock held(mu);
    if (stopping.exchange(true)) return;
    give_up_ms = deps.clock.monotonic_ms() + options.flush_deadline_ms;
    changed.notify_all();
    for (const auto& flight : flights) asio::post(flight->io, [flight] { flight->pause.cancel(); });
  }
  queue->interrupt();
}

void Shipper::Impl::stop() {
  begin_stop();
  if (!wait_landed()) {
    const MutexLock held(mu);
    for (const auto& flight : flights)
      asio::post(flight->io, [flight] { flight->cancel.emit(asio::cancellation_type::terminal); });
  }
  thread.stop();
}

// False when the time was over first.
bool Shipper::Impl::wait_landed() {
  const MutexLock held(mu);
  while (in_flight > 0) {
    const int64_t left_ms = give_up_ms - deps.clock.monotonic_ms();
    if (left_ms <= 0) return false;
    changed.wait_for_ms(mu, left_ms);
  }
  return true;
}

Result<std::unique_ptr<Shipper>> Shipper::create(ShipperOptions options,
                                                 std::shared_ptr<SampleQueue> queue,
                                                 ShipperDeps deps) {
  TRY(check(options));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(queue), std::move(deps));
  return std::unique_ptr<Shipper>(new Shipper(std::move(impl)));
}

Shipper::Shipper(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Shipper::~Shipper() { stop(); }

void Shipper::start() {
  CHECK(impl_->thread.post([impl = impl_.get()] { impl->run(); }));
}

void Shipper::begin_stop() { impl_->begin_stop(); }

void Shipper::stop() { impl_->stop(); }

ShipperStatus Shipper::status() const {
  ShipperStatus status;
  status.name = impl_->options.name;
  status.url = impl_->url;
  status.pending_samples = impl_->queue->pending_samples();
  status.queue_bytes = impl_->queue->bytes();
  status.oldest_ms = impl_->queue->oldest_time().value_or(0);
  const MutexLock held(impl_->mu);
  status.last_success_ms = impl_->last_success_ms;
  status.last_error = impl_->last_error;
  return status;
}

}  // namespace binnacle::collect::ship
