// Who may evaluate a query when. So many run at a time, each on a thread of this queue; the others
// wait, and callers take turns, so that one with a thousand queries does not keep out the rest. The
// queue is bounded, and so is the wait. Any thread; stop() before what the work refers to goes.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "base/mutex.h"

namespace binnacle::query::promql {

struct QueryQueueOptions {
  size_t max_concurrency = 2;
  size_t max_queued = 1024;
  int64_t max_wait_ms = 30'000;
};

class QueryQueue {
 public:
  // Called once: with success on a thread of the queue, else with why the query's turn will not
  // come: kUnavailable (the queue is full or stops), kDeadlineExceeded (it waited too long).
  using Work = std::function<void(const Status& admitted)>;

  // `clock` and `registry` outlive the queue. Registers binnacle_query_running, _queued,
  // _queue_wait_seconds and _queue_refused_total{reason}.
  QueryQueue(const QueryQueueOptions& options, const Clock& clock, Registry& registry);
  ~QueryQueue();  // stop()
  QueryQueue(const QueryQueue&) = delete;
  QueryQueue& operator=(const QueryQueue&) = delete;

  // `caller`: a key's id, an address; whatever should have a turn of its own. When the queue is
  // full, the newest query of the caller with most of them waiting goes, be it this one.
  void submit(std::string caller, Work work) EXCLUDES(mu_);
  // Refuses what waits and what comes, waits for what runs.
  void stop() EXCLUDES(mu_);

  // How many may run stays as it was.
  void set_options(const QueryQueueOptions& options) EXCLUDES(mu_);
  // Refuses what has waited too long; a thread does it, and tests, which own the time.
  void expire() EXCLUDES(mu_);
  size_t queued() const EXCLUDES(mu_);

 private:
  struct Waiting {
    Work work;
    int64_t since_ms = 0;  // monotonic
  };
  struct Caller {
    std::string name;
    std::deque<Waiting> waiting;  // oldest first
    size_t running = 0;
  };
  struct Instruments;

  void run() EXCLUDES(mu_);
  void watch() EXCLUDES(mu_);
  Caller& caller(std::string name) REQUIRES(mu_);
  Caller* next_caller() REQUIRES(mu_);
  Work take_newest_of_most() REQUIRES(mu_);
  void forget_idle_callers() REQUIRES(mu_);

  // Fixed after construction.
  const Clock& clock_;
  const std::unique_ptr<Instruments> instruments_;
  std::vector<std::thread> threads_;
  std::thread watch_;

  mutable Mutex mu_;
  CondVar wake_;        // of the threads that run queries
  CondVar watch_wake_;  // of the one that looks for what waited too long
  QueryQueueOptions options_ GUARDED_BY(mu_);
  std::vector<Caller> callers_ GUARDED_BY(mu_);  // in order of their turns
  size_t queued_ GUARDED_BY(mu_) = 0;
  bool stopping_ GUARDED_BY(mu_) = false;
};

}  // namespace binnacle::query::promql
