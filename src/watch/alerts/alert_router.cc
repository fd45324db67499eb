#include "watch/alerts/alert_router.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/kill_points.h"

namespace binnacle::watch::alerts {
namespace {

// A wall clock that moves against the monotonic one by more than this at once was set.
constexpr int64_t kJumpMs = 1'000;
constexpr int64_t kLongestRestMs = 60'000;
constexpr int64_t kRetryWriteMs = 1'000;
constexpr int64_t kPruneMs = 3'600'000;
// What came longer ago than this came before the clock was set.
constexpr int64_t kLongestIntakeMs = 10'000;
// Of one commit, so that nobody waits long for the lock.
constexpr size_t kAlertsAtOnce = 2'000;
constexpr std::string_view kStopping = "alerts: the server is stopping";

}  // namespace

struct AlertRouter::Inbox {
  Mutex mu;
  CondVar wake;
  std::vector<Ended> ended GUARDED_BY(mu);
  bool poked GUARDED_BY(mu) = false;
  bool stopping GUARDED_BY(mu) = false;

  void push(Ended one) EXCLUDES(mu) {
    const MutexLock lock(mu);
    ended.push_back(std::move(one));
    poked = true;
    wake.notify_one();
  }
  void poke(bool stop = false) EXCLUDES(mu) {
    const MutexLock lock(mu);
    poked = true;
    stopping = stopping || stop;
    wake.notify_one();
  }
  std::vector<Ended> take() EXCLUDES(mu) {
    const MutexLock lock(mu);
    return std::exchange(ended, {});
  }
  // False: stopping.
  bool wait(int64_t ms) EXCLUDES(mu) {
    const MutexLock lock(mu);
    if (!poked && !stopping && ms > 0) wake.wait_for_ms(mu, ms);
    poked = false;
    return !stopping;
  }
};

AlertRouter::AlertRouter(AlertRouterOptions options, const AlertRouterSeams& seams)
    : store_(seams.store),
      events_(seams.events),
      clock_(seams.clock),
      instruments_(seams.registry),
      history_(seams.store),
      notifiers_(seams.io, seams.clock),
      inbox_(std::make_shared<Inbox>()),
      options_(std::move(options)),
      dispatcher_(options_.limits, options_.external_url, seams.random, instruments_) {}

Result<std::unique_ptr<AlertRouter>> AlertRouter::open(AlertRouterOptions options,
                                                       const AlertRouterSeams& seams,
                                                       std::shared_ptr<const AlertConfig> config,
                                                       const NotifierFactory& make) {
  std::unique_ptr<AlertRouter> router(new AlertRouter(std::move(options), seams));
  const MutexLock lock(router->mu_);
  if (Status loaded = load_rows(seams.store, router->dispatcher_); !loaded) {
    return fail(std::move(loaded).error().with_context("read the state of the alerts"));
  }
  router->wall_less_monotonic_ms_ = seams.clock.wall_ms() - seams.clock.monotonic_ms();
  router->notifiers_.configure(*config, make);
  router->dispatcher_.configure(std::move(config), seams.clock.wall_ms());
  return router;
}

AlertRouter::~AlertRouter() { stop(); }

void AlertRouter::start() {
  {
    const MutexLock lock(wake_mu_);
    writer_runs_ = true;
  }
  writer_ = std::thread([this] { run_writer(); });
  timer_ = std::thread([this] { run_timer(); });
  wake_writer();  // what the configuration changed of the stored state
}

void AlertRouter::stop() {
  inbox_->poke(true);
  if (timer_.joinable()) timer_.join();
  notifiers_.stop();
  record_late();
  {
    const MutexLock lock(wake_mu_);
    stopping_ = true;
    writer_wake_.notify_all();
  }
  if (writer_.joinable()) writer_.join();
}

// What was sent while the timer's thread ended. What was cut off is sent anew after the next start.
void AlertRouter::record_late() {
  const std::vector<Ended> ended = inbox_->take();
  {
    const MutexLock lock(mu_);
    for (const Ended& one : ended) {
      if (one.outcome.kind != SendOutcome::Kind::kSent) continue;
      dispatcher_.attempted(one.delivery, one.outcome, now_ms());
    }
    if (dispatcher_.changes().empty()) return;
    ++sequence_;
  }
  wake_writer();
}

int64_t AlertRouter::now_ms() {
  const int64_t wall_ms = clock_.wall_ms();
  const int64_t less = wall_ms - clock_.monotonic_ms();
  const int64_t moved_ms = less - wall_less_monotonic_ms_;
  if (moved_ms > kJumpMs || moved_ms < -kJumpMs) {
    log_.warn("the clock was set; waits go on as long as they would have",
              {{"moved_ms", moved_ms}});
    dispatcher_.shift_ms(moved_ms);
  }
  wall_less_monotonic_ms_ = less;
  return wall_ms;
}

void AlertRouter::run_timer() {
  int64_t rest_ms = 0;
  while (inbox_->wait(rest_ms)) {
    const int64_t next_ms = turn();
    rest_ms = std::clamp(next_ms - clock_.wall_ms(), int64_t{0}, kLongestRestMs);
  }
}

int64_t AlertRouter::turn() {
  const std::vector<Ended> ended = inbox_->take();
  std::vector<DeliveryAttempt> due;
  int64_t next_ms = 0;
  bool changed = false;
  bool prune = false;
  {
    const MutexLock lock(mu_);
    const int64_t now = now_ms();
    for (const Ended& one : ended) {
      instruments_.latency(one.integration).observe(static_cast<double>(one.took_ms) / 1000);
      dispatcher_.attempted(one.delivery, one.outcome, now);
    }
    due = dispatcher_.turn(now);
    next_ms = dispatcher_.next_due_ms(now);
    changed = !dispatcher_.changes().empty();
    if (changed) ++sequence_;
    prune = now >= next_prune_ms_;
    if (prune) next_prune_ms_ = now + kPruneMs;
  }
  for (const DeliveryAttempt& attempt : due) launch(attempt);
  if (prune) prune_ = true;
  if (changed || prune) wake_writer();
  return next_ms;
}

void AlertRouter::launch(const DeliveryAttempt& attempt) {
  const std::string kind = attempt.target.second.substr(0, attempt.target.second.find('['));
  notifiers_.send(attempt, [inbox = inbox_, id = attempt.id, kind](SendOutcome outcome,
                                                                   int64_t took_ms) {
    kill_point("alerts.attempted");
    inbox->push(
        {.delivery = id, .outcome = std::move(outcome), .integration = kind, .took_ms = took_ms});
  });
}

void AlertRouter::wake_writer() {
  const MutexLock lock(wake_mu_);
  work_ = true;
  writer_wake_.notify_one();
}

void AlertRouter::run_writer() {
  for (;;) {
    {
      const MutexLock lock(wake_mu_);
      while (!work_ && !stopping_) writer_wake_.wait(wake_mu_);
      if (!work_) break;
      work_ = false;
    }
    const Status committed = commit();
    if (prune_.exchange(false)) prune_history();
    if (committed) continue;
    const MutexLock lock(wake_mu_);
    if (stopping_) break;
    if (!work_) writer_wake_.wait_for_ms(wake_mu_, kRetryWriteMs);
    work_ = true;
  }
  {
    const MutexLock lock(wake_mu_);
    writer_runs_ = false;
    committed_cv_.notify_all();
  }
  refuse_incoming();
}

void AlertRouter::prune_history() {
  const auto removed = history_.prune(options().limits, clock_.wall_ms());
  if (removed) return;
  log_.warn("old history of alerts could not be removed", {{"error", removed.error().message}});
}

Status AlertRouter::commit() {
  const MutexLock only(commit_mu_);
  std::vector<Incoming> incoming = take_incoming();
  AlertChanges changes;
  AlertRows rows;
  uint64_t sequence = 0;
  bool due = false;
  {
    const MutexLock lock(mu_);
    due = apply(incoming);
    changes = dispatcher_.take_changes();
    sequence = sequence_;
    rows = rows_of(changes, dispatcher_, clock_.wall_ms());
  }
  if (due) inbox_->poke();
  kill_point("alerts.before_commit");
  Status written = changes.empty() ? Status{} : write_now(rows);
  kill_point("alerts.after_commit");
  if (!written) {
    instruments_.commits_failed.add();
    log_.error("alert state could not be written; it is tried again",
               {{"error", written.error().message}});
    const MutexLock lock(mu_);
    dispatcher_.changes().put_back(std::move(changes));
  }
  note_commit(sequence, written);
  for (const Incoming& one : incoming) one.done(written ? one.accepted : written);
  return written;
}

void AlertRouter::note_commit(uint64_t sequence, const Status& written) {
  const MutexLock lock(wake_mu_);
  if (written) {
    written_ = sequence;
  } else {
    failed_ = sequence;
    failure_ = written;
  }
  committed_cv_.notify_all();
}

std::vector<AlertRouter::Incoming> AlertRouter::take_incoming() {
  std::vector<Incoming> taken;
  size_t alerts = 0;
  const MutexLock lock(wake_mu_);
  while (!incoming_.empty() && alerts < kAlertsAtOnce) {
    alerts += incoming_.front().alerts.size();
    taken.push_back(std::move(incoming_.front()));
    incoming_.pop_front();
  }
  if (!incoming_.empty()) work_ = true;
  return taken;
}

// True: something is due earlier than before. A group's wait begins when its alert came, not when
// the commit before it was on disk at last.
bool AlertRouter::apply(std::vector<Incoming>& incoming) {
  if (incoming.empty()) return false;
  const int64_t now = now_ms();
  const int64_t before = dispatcher_.next_due_ms(now);
  for (Incoming& one : incoming) {
    const bool plausible = one.came_ms <= now && one.came_ms >= now - kLongestIntakeMs;
    one.accepted = dispatcher_.put(std::move(one.alerts), plausible ? one.came_ms : now);
  }
  ++sequence_;
  return dispatcher_.next_due_ms(now) < before;
}

Status AlertRouter::write_now(const AlertRows& rows) {
  return store_.write([&rows, this](store::state::Database& database) {
    return write_rows(database, rows, events_);
  });
}

Status AlertRouter::await_commit(uint64_t sequence) {
  const MutexLock lock(wake_mu_);
  while (written_ < sequence) {
    if (failed_ >= sequence) return failure_;
    if (!writer_runs_) return fail(Code::kUnavailable, std::string(kStopping));
    committed_cv_.wait(wake_mu_);
  }
  return {};
}

void AlertRouter::put_later(std::vector<model::Alert> alerts,
                            std::function<void(const Status&)> done) {
  {
    const MutexLock lock(wake_mu_);
    if (writer_runs_ && !stopping_) {
      incoming_.push_back({.alerts = std::move(alerts),
                           .done = std::move(done),
                           .came_ms = clock_.wall_ms(),
                           .accepted = {}});
      work_ = true;
      writer_wake_.notify_one();
      return;
    }
  }
  done(fail(Code::kUnavailable, std::string(kStopping)));
}

// What no commit took any more.
void AlertRouter::refuse_incoming() {
  std::deque<Incoming> left;
  {
    const MutexLock lock(wake_mu_);
    left.swap(incoming_);
  }
  for (const Incoming& one : left) one.done(fail(Code::kUnavailable, std::string(kStopping)));
}

Status AlertRouter::put(std::vector<model::Alert> alerts) {
  Status accepted;
  uint64_t sequence = 0;
  bool due = false;
  {
    const MutexLock lock(mu_);
    const int64_t now = now_ms();
    const int64_t before = dispatcher_.next_due_ms(now);
    accepted = dispatcher_.put(std::move(alerts), now);
    due = dispatcher_.next_due_ms(now) < before;
    sequence = ++sequence_;
  }
  if (due) inbox_->poke();
  wake_writer();
  TRY(await_commit(sequence));
  return accepted;
}

AlertRouterOptions AlertRouter::options() const {
  const MutexLock lock(mu_);
  return options_;
}

void AlertRouter::reload(AlertRouterOptions options, std::shared_ptr<const AlertConfig> config,
                         const NotifierFactory& make) {
  notifiers_.configure(*config, make);
  {
    const MutexLock lock(mu_);
    options_ = std::move(options);
    next_prune_ms_ = 0;  // less may be kept than before
    dispatcher_.set_options(options_.limits, options_.external_url);
    dispatcher_.configure(std::move(config), now_ms());
    ++sequence_;
  }
  inbox_->poke();
  wake_writer();
}

}  // namespace binnacle::watch::alerts
