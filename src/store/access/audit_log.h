// The audit log: append-only rows, each holding the hash of the one before, so that a changed or
// missing row shows. A row also publishes an event of its action and counts in a metric. append()
// waits for the disk; enqueue() never waits, for I/O threads: its rows are written by a thread of
// this object.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/mutex.h"
#include "store/access/audit_record.h"
#include "store/state/event_store.h"
#include "store/state/state_store.h"

#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <vector>

namespace binnacle::store::access {

struct AuditVerdict {
  bool intact = true;
  int64_t rows = 0;       // that were found right
  int64_t broken_id = 0;  // the first row that is changed or missing; 0: none
  std::string reason;     // empty: intact
};

class AuditLog {
 public:
  // References outlive the log.
  AuditLog(state::StateStore& store, state::EventStore& events, const Clock& clock,
           Registry& registry, size_t max_queued = 4096);
  ~AuditLog();  // stop()
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  void start() EXCLUDES(mu_);
  void stop() EXCLUDES(mu_);  // writes what is queued

  Status append(AuditRecord record);
  // As part of a larger write: the row is there exactly when that commits.
  Status append_in(state::Database& database, AuditRecord record);
  // Any thread, never blocks. When the queue is full the record is dropped, counted and logged.
  void enqueue(AuditRecord record) EXCLUDES(mu_);

  // Newest first; `before_id` 0: from the newest.
  Result<std::vector<AuditRow>> recent(int64_t before_id, size_t limit);

  // Reads the whole chain.
  Result<AuditVerdict> verify();

 private:
  void run() EXCLUDES(mu_);
  void write_batch(const std::vector<AuditRecord>& batch);

  // Fixed after construction.
  state::StateStore& store_;
  state::EventStore& events_;
  const Clock& clock_;
  Registry& registry_;
  Counter& dropped_;
  const size_t max_queued_;
  const Log log_{"audit"};

  Mutex mu_;
  CondVar wake_;
  std::deque<AuditRecord> queue_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;

  std::thread thread_;  // start() and stop() alone
};

}  // namespace binnacle::store::access
