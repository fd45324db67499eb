#include "query/promql/query_queue.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"

namespace binnacle::query::promql {
namespace {

constexpr int64_t kLookEveryMs = 100;
constexpr double kWaitBounds[] = {0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60};

Status full(size_t max_queued) {
  return fail(Code::kUnavailable,
              fmt::format("too many queries wait ({}, query.max_queued): try again, or let more "
                          "run at a time (query.max_concurrency)",
                          max_queued));
}

Status too_long(int64_t max_wait_ms, size_t running) {
  return fail(Code::kDeadlineExceeded,
              fmt::format("query timed out in query queue: no turn within {} s "
                          "(query.queue_timeout) with {} running at a time "
                          "(query.max_concurrency)",
                          static_cast<double>(max_wait_ms) / 1000, running));
}

}  // namespace

struct QueryQueue::Instruments {
  explicit Instruments(Registry& registry)
      : running(registry.gauge("binnacle_query_running", "Queries that are evaluated now.")),
        queued(registry.gauge("binnacle_query_queued", "Queries that wait for their turn.")),
        wait(registry.histogram("binnacle_query_queue_wait_seconds",
                                "How long queries waited for their turn.", kWaitBounds)),
        full(registry.counter("binnacle_query_queue_refused_total",
                              "Queries whose turn did not come, by reason.",
                              {{"reason", "queue_full"}})),
        late(registry.counter("binnacle_query_queue_refused_total",
                              "Queries whose turn did not come, by reason.",
                              {{"reason", "waited_too_long"}})) {}
  Gauge& running;
  Gauge& queued;
  Histogram& wait;
  Counter& full;
  Counter& late;
};

QueryQueue::QueryQueue(const QueryQueueOptions& options, const Clock& clock, Registry& registry)
    : clock_(clock), instruments_(std::make_unique<Instruments>(registry)), options_(options) {
  CHECK(options.max_concurrency > 0);
  threads_.reserve(options.max_concurrency);
  for (size_t i = 0; i < options.max_concurrency; ++i) threads_.emplace_back([this] { run(); });
  watch_ = std::thread([this] { watch(); });
}

QueryQueue::~QueryQueue() { stop(); }

QueryQueue::Caller& QueryQueue::caller(std::string name) {
  const auto found = std::ranges::find(callers_, name, &Caller::name);
  if (found != callers_.end()) return *found;
  callers_.push_back({std::move(name), {}, 0});
  return callers_.back();
}

void QueryQueue::forget_idle_callers() {
  std::erase_if(callers_, [](const Caller& c) { return c.waiting.empty() && c.running == 0; });
}

// The one whose queries run least, of these the one whose last turn was longest ago.
QueryQueue::Caller* QueryQueue::next_caller() {
  Caller* best = nullptr;
  for (Caller& c : callers_) {
    if (!c.waiting.empty() && (best == nullptr || c.running < best->running)) best = &c;
  }
  return best;
}

QueryQueue::Work QueryQueue::take_newest_of_most() {
  const auto most =
      std::ranges::max_element(callers_, {}, [](const Caller& c) { return c.waiting.size(); });
  Work work = std::move(most->waiting.back().work);
  most->waiting.pop_back();
  --queued_;
  return work;
}

void QueryQueue::submit(std::string caller_name, Work work) {
  Work refused;
  Status why;
  {
    MutexLock lock(mu_);
    if (stopping_) {
      why = fail(Code::kUnavailable, "the server is ending");
      refused = std::move(work);
    } else {
      caller(std::move(caller_name)).waiting.push_back({std::move(work), clock_.monotonic_ms()});
      ++queued_;
      if (queued_ > options_.max_queued) {
        why = full(options_.max_queued);
        refused = take_newest_of_most();
        instruments_->full.add();
      }
      instruments_->queued.set(static_cast<double>(queued_));
    }
  }
  wake_.notify_one();
  watch_wake_.notify_one();
  if (refused) refused(why);
}

void QueryQueue::run() {
  mu_.lock();
  while (true) {
    Caller* mine = next_caller();
    if (mine == nullptr) {
      if (stopping_) break;
      wake_.wait(mu_);
      continue;
    }
    Waiting turn = std::move(mine->waiting.front());
    mine->waiting.pop_front();
    --queued_;
    ++mine->running;
    const std::string name = mine->name;
    // Others come first now.
    const auto place = callers_.begin() + (mine - callers_.data());
    std::rotate(place, place + 1, callers_.end());
    instruments_->queued.set(static_cast<double>(queued_));
    mu_.unlock();
    instruments_->wait.observe(static_cast<double>(clock_.monotonic_ms() - turn.since_ms) / 1000);
    instruments_->running.add(1);
    turn.work({});
    instruments_->running.add(-1);
    turn = {};
    mu_.lock();
    --caller(name).running;
    forget_idle_callers();
  }
  mu_.unlock();
}

void QueryQueue::expire() {
  std::vector<Work> late;
  Status why;
  {
    MutexLock lock(mu_);
    const int64_t before_ms = clock_.monotonic_ms() - options_.max_wait_ms;
    for (Caller& c : callers_) {
      while (!c.waiting.empty() && c.waiting.front().since_ms < before_ms) {
        late.push_back(std::move(c.waiting.front().work));
        c.waiting.pop_front();
        --queued_;
      }
    }
    forget_idle_callers();
    instruments_->queued.set(static_cast<double>(queued_));
    why = too_long(options_.max_wait_ms, threads_.size());
  }
  for (Work& work : late) {
    instruments_->late.add();
    work(why);
  }
}

void QueryQueue::watch() {
  while (true) {
    {
      MutexLock lock(mu_);
      while (!stopping_ && queued_ == 0) watch_wake_.wait(mu_);
      if (stopping_) return;
      watch_wake_.wait_for_ms(mu_, kLookEveryMs);
    }
    expire();
  }
}

void QueryQueue::stop() {
  std::vector<Work> refused;
  {
    MutexLock lock(mu_);
    if (stopping_) return;
    stopping_ = true;
    for (Caller& c : callers_) {
      for (Waiting& waiting : c.waiting) refused.push_back(std::move(waiting.work));
      c.waiting.clear();
    }
    queued_ = 0;
    instruments_->queued.set(0);
  }
  wake_.notify_all();
  watch_wake_.notify_all();
  for (Work& work : refused) work(fail(Code::kUnavailable, "the server is ending"));
  for (std::thread& thread : threads_) thread.join();
  watch_.join();
}

void QueryQueue::set_options(const QueryQueueOptions& options) {
  MutexLock lock(mu_);
  options_ = options;
}

size_t QueryQueue::queued() const {
  MutexLock lock(mu_);
  return queued_;
}

}  // namespace binnacle::query::promql
