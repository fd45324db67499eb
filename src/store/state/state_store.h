// The state file: one SQLite database in the data folder for what must survive: keys, audit,
// events, objects, silences, jobs. One process owns it by a lock beside it; one writer with group
// commit, a few readers. Any thread but I/O threads. Schema and rules: docs/formats/state.md.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "store/state/migrations.h"
#include "store/state/reader_pool.h"
#include "store/state/write_queue.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace binnacle::store::state {

struct StateOptions {
  std::string path;                   // "<data folder>/state.db"
  std::vector<Migration> migrations;  // of all rooms
  size_t readers = 3;
  WriteLimits write_limits;
};

class StateStore {
 public:
  // Creates or opens, checks the file's integrity when it was not closed cleanly, migrates.
  // kAlreadyExists: another process has it (says which); kFailedPrecondition: a newer binary's file
  // or not ours; kDataLoss: damaged; kPermissionDenied: cannot be written. All references outlive
  // the store.
  static Result<std::unique_ptr<StateStore>> open(StateOptions options, FileSystem& files,
                                                  const Clock& clock, Registry& registry);

  // Beside a running owner, for a command that adds rows which the owner looks up at each use:
  // takes no lock and does not migrate, so the file's migrations must be exactly those given.
  static Result<std::unique_ptr<StateStore>> open_beside(StateOptions options, const Clock& clock,
                                                         Registry& registry);
  ~StateStore();  // commits what waits, closes cleanly

  // Durable when it returns; see WriteQueue for what `work` may do.
  Status write(Work work);
  // Never sees a part of a transaction.
  Status read(const std::function<Status(Database&)>& look);

  // Success when a real write reached the disk within the last few seconds, else the reason. Waits
  // at most two seconds; for /ready.
  Status writable() EXCLUDES(probe_mu_);

  uint64_t add_commit_hook(std::function<void()> hook);
  void remove_commit_hook(uint64_t id);

  const std::string& path() const { return path_; }

 private:
  StateStore(std::string path, std::unique_ptr<FileLock> lock, std::unique_ptr<ReaderPool> readers,
             Database writer, WriteLimits limits, const Clock& clock, Registry& registry);

  // Fixed after construction. Destroyed bottom up: the writer closes last but for the lock, and
  // SQLite folds the log into the file at the last close.
  const std::string path_;
  const Clock& clock_;
  const std::unique_ptr<FileLock> lock_;
  WriteQueue writer_;
  const std::unique_ptr<ReaderPool> readers_;

  Mutex probe_mu_;
  int64_t probed_at_ms_ GUARDED_BY(probe_mu_) = 0;  // monotonic; 0: never
  Status probe_ GUARDED_BY(probe_mu_);
};

}  // namespace binnacle::store::state
