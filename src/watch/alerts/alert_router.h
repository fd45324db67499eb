// The alert service: drives the dispatcher with a clock, a thread for what is due and one that
// writes. What arrives is applied at once and answered when the commit that holds it is on disk;
// whatever waits together shares a commit. A notification is recorded after it was sent, so that a
// crash between the two repeats it with the same key and loses none. Calls of AlertService from any
// thread but I/O threads; open(), start(), stop() by the owner. The references outlive it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/random.h"
#include "store/state/event_store.h"
#include "store/state/state_store.h"
#include "watch/alerts/alert_history.h"
#include "watch/alerts/alert_instruments.h"
#include "watch/alerts/alert_intake.h"
#include "watch/alerts/alert_rows.h"
#include "watch/alerts/alert_service.h"
#include "watch/alerts/dispatcher.h"
#include "watch/alerts/notifier_pool.h"

namespace binnacle::watch::alerts {

struct AlertRouterOptions {
  AlertLimits limits;
  std::string external_url;  // without a slash at its end
};

// What the router stands on. `events` may be null: nothing is published.
struct AlertRouterSeams {
  store::state::StateStore& store;
  store::state::EventStore* events = nullptr;
  net::IoThreads& io;
  const Clock& clock;
  Random& random;
  Registry& registry;
};

class AlertRouter final : public AlertService, public AlertIntake {
 public:
  // Reads the stored state. Nothing is sent before start().
  static Result<std::unique_ptr<AlertRouter>> open(AlertRouterOptions options,
                                                   const AlertRouterSeams& seams,
                                                   std::shared_ptr<const AlertConfig> config,
                                                   const NotifierFactory& make);
  ~AlertRouter() override;  // stop()

  void start();
  // Writes what waits. What is being sent is cut off, and sent anew after the next start.
  void stop() EXCLUDES(mu_, wake_mu_);
  // Groups, silences and what was told stay.
  void reload(AlertRouterOptions options, std::shared_ptr<const AlertConfig> config,
              const NotifierFactory& make) EXCLUDES(mu_);

  Status put(std::vector<model::Alert> alerts) override EXCLUDES(mu_, wake_mu_);
  void put_later(std::vector<model::Alert> alerts, std::function<void(const Status&)> done) override
      EXCLUDES(wake_mu_);
  Result<std::vector<AlertView>> alerts(const AlertFilter& filter) override EXCLUDES(mu_);
  Result<std::vector<GroupView>> groups(const AlertFilter& filter) override EXCLUDES(mu_);
  std::vector<Silence> silences(const model::Matchers& filter) override EXCLUDES(mu_);
  Result<Silence> silence(const std::string& id) override EXCLUDES(mu_);
  Result<std::string> set_silence(Silence silence) override EXCLUDES(edit_mu_, mu_);
  Status expire_silence(const std::string& id) override EXCLUDES(edit_mu_, mu_);
  Status acknowledge(Acknowledgement acknowledgement) override EXCLUDES(edit_mu_, mu_);
  Status unacknowledge(uint64_t fingerprint, const std::string& by) override
      EXCLUDES(edit_mu_, mu_);
  Result<std::vector<AlertHistoryEntry>> history(const AlertHistoryQuery& query) override;
  std::shared_ptr<const AlertConfig> config() const override EXCLUDES(mu_);
  Result<std::vector<TestResult>> test_receiver(const std::string& name) override EXCLUDES(mu_);

  // One pass over what is due and what was sent meanwhile; answers when the next is due. The
  // thread of start() does nothing else; tests with a simulated clock call it themselves.
  int64_t turn() EXCLUDES(mu_, wake_mu_);
  // Writes what waits to be written.
  Status commit() EXCLUDES(mu_, commit_mu_, wake_mu_);

 private:
  // An attempt that ended, on its way from an I/O thread.
  struct Ended {
    uint64_t delivery = 0;
    SendOutcome outcome;
    std::string integration;
    int64_t took_ms = 0;
  };
  // What came by put_later().
  struct Incoming {
    std::vector<model::Alert> alerts;
    std::function<void(const Status&)> done;
    int64_t came_ms = 0;
    Status accepted;
  };
  // Outlives the router: a send may end late.
  struct Inbox;

  AlertRouter(AlertRouterOptions options, const AlertRouterSeams& seams);
  int64_t now_ms() REQUIRES(mu_);
  void launch(const DeliveryAttempt& attempt);
  void wake_writer() EXCLUDES(wake_mu_);
  void record_late() EXCLUDES(mu_, wake_mu_);
  void run_timer();
  void run_writer();
  void prune_history() EXCLUDES(mu_);
  AlertRouterOptions options() const EXCLUDES(mu_);
  Status await_commit(uint64_t sequence) EXCLUDES(wake_mu_);
  std::vector<Incoming> take_incoming() EXCLUDES(wake_mu_);
  void refuse_incoming() EXCLUDES(wake_mu_);
  bool apply(std::vector<Incoming>& incoming) REQUIRES(mu_);
  void note_commit(uint64_t sequence, const Status& written) EXCLUDES(wake_mu_);
  Status write_now(const AlertRows& rows);
  Status change_silence(const SilenceChange& change, std::string_view kind, const Silence& of,
                        int64_t at_ms) REQUIRES(edit_mu_) EXCLUDES(mu_);

  // Fixed after construction.
  store::state::StateStore& store_;
  store::state::EventStore* const events_;
  const Clock& clock_;
  AlertInstruments instruments_;
  AlertHistory history_;
  NotifierPool notifiers_;
  const std::shared_ptr<Inbox> inbox_;
  const Log log_{"alerts"};

  Mutex edit_mu_;    // one change of silences or acknowledgements at a time, over its write;
                     // before mu_
  Mutex commit_mu_;  // one commit at a time; before mu_
  mutable Mutex mu_;
  AlertRouterOptions options_ GUARDED_BY(mu_);
  Dispatcher dispatcher_ GUARDED_BY(mu_);
  uint64_t sequence_ GUARDED_BY(mu_) = 0;  // of changes
  int64_t wall_less_monotonic_ms_ GUARDED_BY(mu_) = 0;
  int64_t next_prune_ms_ GUARDED_BY(mu_) = 0;

  Mutex wake_mu_;  // after mu_
  CondVar writer_wake_;
  CondVar committed_cv_;
  bool work_ GUARDED_BY(wake_mu_) = false;
  bool stopping_ GUARDED_BY(wake_mu_) = false;
  bool writer_runs_ GUARDED_BY(wake_mu_) = false;
  uint64_t written_ GUARDED_BY(wake_mu_) = 0;  // the last change that is on disk
  uint64_t failed_ GUARDED_BY(wake_mu_) = 0;   // the last that could not be written
  Status failure_ GUARDED_BY(wake_mu_);
  std::deque<Incoming> incoming_ GUARDED_BY(wake_mu_);

  std::atomic<bool> prune_ = false;  // the writer is to remove old history

  std::thread timer_;
  std::thread writer_;
};

}  // namespace binnacle::watch::alerts
