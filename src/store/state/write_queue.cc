#include "store/state/write_queue.h"

#include "base/check.h"

#include <fmt/format.h>

#include <pthread.h>
#include <algorithm>

namespace binnacle::store::state {
namespace {

constexpr double kCommitBounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                    0.05,   0.1,   0.25,   0.5,   1,    5};

// Set on a writer's thread, to catch work that asks its own queue to write.
thread_local const WriteQueue* queue_of_this_thread = nullptr;

Counter& writes_counter(Registry& registry, const char* result) {
  return registry.counter("binnacle_state_writes_total",
                          "Writes to the state store by result; several share one commit.",
                          {{"result", result}});
}

Counter& commits_counter(Registry& registry, const char* result) {
  return registry.counter("binnacle_state_commits_total",
                          "Transactions of the state store by result.", {{"result", result}});
}

}  // namespace

WriteQueue::WriteQueue(Database database, WriteLimits limits, const Clock& clock,
                       Registry& registry)
    : path_(database.path()),
      limits_(limits),
      clock_(clock),
      commits_(commits_counter(registry, "ok")),
      commit_errors_(commits_counter(registry, "error")),
      writes_(writes_counter(registry, "ok")),
      write_errors_(writes_counter(registry, "error")),
      queue_length_(registry.gauge("binnacle_state_write_queue_length",
                                   "Writes that wait for the state store's writer.")),
      commit_seconds_(registry.histogram("binnacle_state_commit_seconds",
                                         "Time of a transaction of the state store, sync included.",
                                         kCommitBounds)),
      database_(std::move(database)),
      thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "state-writer");
}

WriteQueue::~WriteQueue() { stop(); }

Status WriteQueue::write(Work work) {
  TRY_ASSIGN(const PendingPtr pending, enqueue(std::move(work)));
  const int64_t deadline_ms = clock_.monotonic_ms() + limits_.max_wait_ms;
  MutexLock lock(mu_);
  while (pending->phase == Phase::kQueued) {
    const int64_t left_ms = deadline_ms - clock_.monotonic_ms();
    if (left_ms > 0) {
      pending->done.wait_for_ms(mu_, left_ms);
      continue;
    }
    withdraw(pending);
    return fail(Code::kDeadlineExceeded,
                fmt::format("write to {}: waited {} ms for earlier writes; the disk is too slow",
                            path_, limits_.max_wait_ms));
  }
  // Once it runs its outcome must be known: the work may point into the caller's stack.
  while (pending->phase != Phase::kDone) pending->done.wait(mu_);
  return pending->result;
}

Status WriteQueue::write_or_abandon(Work work, int64_t wait_ms) {
  TRY_ASSIGN(const PendingPtr pending, enqueue(std::move(work)));
  const int64_t deadline_ms = clock_.monotonic_ms() + wait_ms;
  MutexLock lock(mu_);
  while (pending->phase != Phase::kDone) {
    const int64_t left_ms = deadline_ms - clock_.monotonic_ms();
    if (left_ms > 0) {
      pending->done.wait_for_ms(mu_, left_ms);
      continue;
    }
    if (pending->phase == Phase::kQueued) withdraw(pending);
    return fail(Code::kDeadlineExceeded,
                fmt::format("write to {}: not on disk after {} ms", path_, wait_ms));
  }
  return pending->result;
}

Result<WriteQueue::PendingPtr> WriteQueue::enqueue(Work work) {
  CHECK(queue_of_this_thread != this);  // would wait for itself
  auto pending = std::make_shared<Pending>();
  pending->work = std::move(work);
  {
    MutexLock lock(mu_);
    if (stopping_) {
      return fail(Code::kUnavailable, fmt::format("write to {}: the store is closing", path_));
    }
    if (queue_.size() >= limits_.max_queued) {
      return fail(Code::kResourceExhausted,
                  fmt::format("write to {}: the queue is full ({} waiting); try again later", path_,
                              queue_.size()));
    }
    queue_.push_back(pending);
    queue_length_.set(static_cast<double>(queue_.size()));
  }
  wake_.notify_one();
  return pending;
}

void WriteQueue::withdraw(const PendingPtr& pending) {
  const auto it = std::find(queue_.begin(), queue_.end(), pending);
  CHECK(it != queue_.end());
  queue_.erase(it);
  queue_length_.set(static_cast<double>(queue_.size()));
}

void WriteQueue::stop() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

uint64_t WriteQueue::add_commit_hook(std::function<void()> hook) {
  MutexLock lock(hooks_mu_);
  hooks_.emplace_back(next_hook_, std::move(hook));
  return next_hook_++;
}

void WriteQueue::remove_commit_hook(uint64_t id) {
  MutexLock lock(hooks_mu_);
  std::erase_if(hooks_, [id](const auto& hook) { return hook.first == id; });
}

void WriteQueue::call_hooks() {
  MutexLock lock(hooks_mu_);
  for (const auto& [id, hook] : hooks_) hook();
}

void WriteQueue::run() {
  queue_of_this_thread = this;
  for (;;) {
    const Batch batch = take();
    if (batch.empty()) return;
    commit(batch);
    // Hooks first: whoever waits for its write finds what the commit set in motion.
    call_hooks();
    finish(batch);
  }
}

WriteQueue::Batch WriteQueue::take() {
  MutexLock lock(mu_);
  while (queue_.empty() && !stopping_) wake_.wait(mu_);
  Batch batch;
  while (!queue_.empty() && batch.size() < limits_.max_batch) {
    batch.push_back(std::move(queue_.front()));
    batch.back()->phase = Phase::kRunning;
    queue_.pop_front();
  }
  queue_length_.set(static_cast<double>(queue_.size()));
  return batch;
}

void WriteQueue::finish(const Batch& batch) {
  MutexLock lock(mu_);
  for (const PendingPtr& pending : batch) {
    (pending->result ? writes_ : write_errors_).add();
    // What the work captured dies here, not when the caller gets round to it.
    pending->work = nullptr;
    pending->phase = Phase::kDone;
    pending->done.notify_all();
  }
}

void WriteQueue::commit(const Batch& batch) {
  if (commit_together(batch)) return;
  // One write too large for the disk must not take its neighbours with it.
  for (size_t i = 0; i < batch.size(); ++i) {
    Status alone = commit_together(std::span(batch).subspan(i, 1));
    if (!alone) batch[i]->result = std::move(alone);
  }
}

Status WriteQueue::commit_together(std::span<const PendingPtr> batch) {
  const int64_t start_ns = clock_.monotonic_ns();
  Status status = run_transaction(batch);
  commit_seconds_.observe(static_cast<double>(clock_.monotonic_ns() - start_ns) * 1e-9);
  (status ? commits_ : commit_errors_).add();
  if (!status && database_.in_transaction()) {
    // Without a rollback every later BEGIN would fail; SQLite cannot refuse one.
    CHECK(database_.execute("ROLLBACK"));
  }
  return status;
}

Status WriteQueue::run_transaction(std::span<const PendingPtr> batch) {
  TRY(database_.execute("BEGIN IMMEDIATE"));
  for (const PendingPtr& pending : batch) TRY(run_in_savepoint(*pending));
  return database_.execute("COMMIT");
}

Status WriteQueue::run_in_savepoint(Pending& pending) {
  TRY(database_.execute("SAVEPOINT one_write"));
  pending.result = pending.work(database_);
  if (!database_.in_transaction()) {
    // A full disk or a failed read ended the whole transaction.
    CHECK(!pending.result);
    return pending.result;
  }
  if (!pending.result) TRY(database_.execute("ROLLBACK TO one_write"));
  return database_.execute("RELEASE one_write");
}

}  // namespace binnacle::store::state
