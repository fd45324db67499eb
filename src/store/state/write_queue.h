// The one writer of the state file, with group commit: writes that wait together share one
// transaction, each in a savepoint of its own, so that one that fails rolls back alone and one sync
// serves all. Any thread but I/O threads may call write(): it returns when the commit is on disk.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "store/state/database.h"

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace binnacle::store::state {

// Changes rows through the database alone, or returns an error to undo them. Runs on the writer's
// thread, a second time when the shared transaction breaks (full disk), so results go to variables
// that a second run overwrites. Must not wait for another write.
using Work = std::function<Status(Database&)>;

struct WriteLimits {
  size_t max_queued = 1024;      // kResourceExhausted beyond
  size_t max_batch = 256;        // writes in one transaction
  int64_t max_wait_ms = 10'000;  // in the queue; kDeadlineExceeded beyond, and nothing was written
};

class WriteQueue {
 public:
  WriteQueue(Database database, WriteLimits limits, const Clock& clock, Registry& registry);
  ~WriteQueue();  // stop()
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  Status write(Work work) EXCLUDES(mu_);
  // Does not wait for a write that hangs in the disk: then kDeadlineExceeded, and `work` may yet
  // run, so it must own all that it touches.
  Status write_or_abandon(Work work, int64_t wait_ms) EXCLUDES(mu_);

  // `hook` runs on the writer's thread after each commit; quick, and no call of write().
  uint64_t add_commit_hook(std::function<void()> hook) EXCLUDES(hooks_mu_);
  void remove_commit_hook(uint64_t id) EXCLUDES(hooks_mu_);  // not running any more when it returns

  // Refuses new writes, commits what waits, ends the thread.
  void stop() EXCLUDES(mu_);

 private:
  enum class Phase : uint8_t { kQueued, kRunning, kDone };
  struct Pending {
    Work work;
    Phase phase = Phase::kQueued;  // guarded by mu_
    Status result;                 // the writer's while running, then the caller's
    CondVar done;
  };
  // Shared: a caller may give up on a write that the thread still holds.
  using PendingPtr = std::shared_ptr<Pending>;
  using Batch = std::vector<PendingPtr>;

  Result<PendingPtr> enqueue(Work work) EXCLUDES(mu_);
  void withdraw(const PendingPtr& pending) REQUIRES(mu_);
  void run() EXCLUDES(mu_);
  Batch take() EXCLUDES(mu_);
  void finish(const Batch& batch) EXCLUDES(mu_);
  void commit(const Batch& batch);
  Status commit_together(std::span<const PendingPtr> batch);
  Status run_transaction(std::span<const PendingPtr> batch);
  Status run_in_savepoint(Pending& pending);
  void call_hooks() EXCLUDES(hooks_mu_);

  // Fixed after construction.
  const std::string path_;
  const WriteLimits limits_;
  const Clock& clock_;
  Counter& commits_;
  Counter& commit_errors_;
  Counter& writes_;
  Counter& write_errors_;
  Gauge& queue_length_;
  Histogram& commit_seconds_;

  // Writer's thread only.
  Database database_;

  Mutex mu_;
  CondVar wake_;
  std::deque<PendingPtr> queue_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;

  Mutex hooks_mu_;
  std::vector<std::pair<uint64_t, std::function<void()>>> hooks_ GUARDED_BY(hooks_mu_);
  uint64_t next_hook_ GUARDED_BY(hooks_mu_) = 1;

  std::thread thread_;  // last, so that it starts when all else is there
};

}  // namespace binnacle::store::state
