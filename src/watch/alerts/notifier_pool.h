// The notifiers of a configuration and the sends in progress: runs one attempt on an I/O thread and
// says how it went. Each integration's notifier stays on one I/O thread. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "net/io_threads.h"
#include "watch/alerts/alert_config.h"
#include "watch/alerts/deliveries.h"
#include "watch/alerts/notification.h"

namespace binnacle::watch::alerts {

using NotifierFactory =
    std::function<std::unique_ptr<Notifier>(const std::string& receiver, const Integration&)>;

class NotifierPool {
 public:
  // `done` runs on an I/O thread; quick.
  using Done = std::function<void(SendOutcome outcome, int64_t took_ms)>;

  NotifierPool(net::IoThreads& io, const Clock& clock);
  ~NotifierPool();  // stop()
  NotifierPool(const NotifierPool&) = delete;
  NotifierPool& operator=(const NotifierPool&) = delete;

  // Sends in progress go on with the notifiers they have.
  void configure(const AlertConfig& config, const NotifierFactory& make) EXCLUDES(mu_);
  // `done` is called at once when the integration is not there any more.
  void send(const DeliveryAttempt& attempt, Done done) EXCLUDES(mu_);
  // Gives what is in progress a second, then cancels it; refuses what comes after.
  void stop() EXCLUDES(mu_);

 private:
  struct Sender {
    std::shared_ptr<Notifier> notifier;  // shared with sends that outlive a reload
    size_t thread = 0;
  };
  struct Flights;

  // Fixed after construction.
  net::IoThreads& io_;
  const Clock& clock_;
  const std::shared_ptr<Flights> flights_;  // shared with sends, whose end may come late

  Mutex mu_;
  std::map<DeliveryTarget, Sender> senders_ GUARDED_BY(mu_);
  size_t next_thread_ GUARDED_BY(mu_) = 0;
};

}  // namespace binnacle::watch::alerts
