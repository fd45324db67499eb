#include "watch/alerts/notifier_pool.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace binnacle::watch::alerts {
namespace {

constexpr int64_t kGraceMs = 1'000;  // for what is nearly there, so that it is not sent twice
constexpr int64_t kStopMs = 10'000;

boost::asio::awaitable<SendOutcome> one_send(std::shared_ptr<Notifier> notifier,
                                             std::shared_ptr<const Notification> notification,
                                             int64_t timeout_ms) {
  co_return co_await notifier->send(*notification, timeout_ms);
}

}  // namespace

struct NotifierPool::Flights {
  struct Flight {
    boost::asio::io_context* context = nullptr;
    std::shared_ptr<boost::asio::cancellation_signal> signal;  // its I/O thread only
  };
  Mutex mu;
  CondVar over;
  bool stopping GUARDED_BY(mu) = false;
  uint64_t last GUARDED_BY(mu) = 0;
  std::map<uint64_t, Flight> flights GUARDED_BY(mu);

  // 0: stopping.
  uint64_t begin(Flight flight) EXCLUDES(mu) {
    const MutexLock lock(mu);
    if (stopping) return 0;
    flights[++last] = std::move(flight);
    return last;
  }
  void end(uint64_t id) EXCLUDES(mu) {
    const MutexLock lock(mu);
    flights.erase(id);
    over.notify_all();
  }
};

NotifierPool::NotifierPool(net::IoThreads& io, const Clock& clock)
    : io_(io), clock_(clock), flights_(std::make_shared<Flights>()) {}

NotifierPool::~NotifierPool() { stop(); }

void NotifierPool::configure(const AlertConfig& config, const NotifierFactory& make) {
  std::map<DeliveryTarget, Sender> senders;
  const MutexLock lock(mu_);
  for (const auto& [name, receiver] : config.receivers) {
    for (const Integration& integration : receiver.integrations) {
      const DeliveryTarget target(name, integration_name(integration));
      const auto before = senders_.find(target);
      const size_t thread =
          before != senders_.end() ? before->second.thread : next_thread_++ % io_.size();
      senders[target] = {.notifier = make(name, integration), .thread = thread};
    }
  }
  senders_ = std::move(senders);
}

void NotifierPool::send(const DeliveryAttempt& attempt, Done done) {
  Sender sender;
  {
    const MutexLock lock(mu_);
    const auto it = senders_.find(attempt.target);
    if (it != senders_.end()) sender = it->second;
  }
  if (sender.notifier == nullptr) {
    done({.kind = SendOutcome::Kind::kFailed, .message = "the receiver is not configured any more"},
         0);
    return;
  }
  boost::asio::io_context& context = io_.context(sender.thread);
  auto signal = std::make_shared<boost::asio::cancellation_signal>();
  const uint64_t id = flights_->begin({.context = &context, .signal = signal});
  if (id == 0) return;
  const int64_t began_ms = clock_.monotonic_ms();
  const Clock* clock = &clock_;
  boost::asio::post(context, [=, flights = flights_, &context, done = std::move(done)]() mutable {
    boost::asio::co_spawn(
        context, one_send(sender.notifier, attempt.notification, attempt.timeout_ms),
        boost::asio::bind_cancellation_slot(
            signal->slot(),
            [=, done = std::move(done)](const std::exception_ptr& thrown, SendOutcome outcome) {
              if (thrown != nullptr) {
                outcome = {.kind = SendOutcome::Kind::kRetry, .message = "the send was cut off"};
              }
              done(std::move(outcome), clock->monotonic_ms() - began_ms);
              flights->end(id);
            }));
  });
}

void NotifierPool::stop() {
  const MutexLock lock(flights_->mu);
  flights_->stopping = true;
  const int64_t grace_end_ms = clock_.monotonic_ms() + kGraceMs;
  while (!flights_->flights.empty()) {
    const int64_t left_ms = grace_end_ms - clock_.monotonic_ms();
    if (left_ms <= 0 || !flights_->over.wait_for_ms(flights_->mu, left_ms)) break;
  }
  for (const auto& [id, flight] : flights_->flights) {
    boost::asio::post(*flight.context, [signal = flight.signal] {
      signal->emit(boost::asio::cancellation_type::terminal);
    });
  }
  while (!flights_->flights.empty()) {
    if (!flights_->over.wait_for_ms(flights_->mu, kStopMs)) break;
  }
}

}  // namespace binnacle::watch::alerts
