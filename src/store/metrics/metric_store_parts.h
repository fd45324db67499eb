// What a MetricStore is made of, for its own files. Locks are taken in the order in which they
// stand here.
#pragma once

#include <set>
#include <thread>

#include "base/log.h"
#include "store/metrics/block_set.h"
#include "store/metrics/column_cache.h"
#include "store/metrics/commit_order.h"
#include "store/metrics/compactor.h"
#include "store/metrics/head.h"
#include "store/metrics/metric_store.h"
#include "store/metrics/store_room.h"
#include "store/metrics/wal.h"

namespace binnacle::store::metrics {

struct StoreInstruments {
  explicit StoreInstruments(Registry& registry);

  void count_refused(const Error& error) const;

  Counter& samples;
  Counter& refused_limit;
  Counter& refused_labels;
  Counter& refused_duplicate;
  Counter& refused_time;
  Counter& commits_failed;
  Counter& snapshots;
  Counter& flushes;
  Counter& compactions;
  Counter& tiers;
  Counter& upkeep_failures;
  Gauge& series;
  Gauge& newest_seconds;
  Gauge& blocks;
  Gauge& block_bytes;
  Gauge& column_cache_bytes;
  Gauge& wal_bytes;
  Gauge& head_bytes;
  Gauge& room_seconds;
};

// Tells which batches are alive, so that no series goes that one of them may know.
class BatchEpochs {
 public:
  uint64_t enter() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return *alive_.insert(epoch_);
  }
  void leave(uint64_t epoch) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    alive_.erase(alive_.find(epoch));
  }
  // True when every batch that is alive came after the last advance().
  bool all_recent() const EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return alive_.empty() || *alive_.begin() == epoch_;
  }
  void advance() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    ++epoch_;
  }

 private:
  mutable Mutex mu_;
  uint64_t epoch_ GUARDED_BY(mu_) = 0;
  std::multiset<uint64_t> alive_ GUARDED_BY(mu_);
};

struct MetricStore::Parts {
  Parts(std::string at, StoreOptions options, FileSystem& fs, const Clock& time, Random& randomness,
        Registry& registry);

  Status recover(StoreProgress* progress, Registry& registry) EXCLUDES(maintenance);
  Result<WalReadReport> replay_log(uint64_t from, StoreProgress* progress) EXCLUDES(mu);
  void tell_damage(const WalReadReport& read) const;
  Status log_commit(const Head::Applied& applied, const MetadataTable::Entries& words);
  Status writable() const EXCLUDES(mu);
  void note_failure(const Error& error) EXCLUDES(mu);

  // Each under `maintenance`.
  Status snapshot() REQUIRES(maintenance);
  Status flush(int64_t cut_ms) REQUIRES(maintenance);
  Status compact() REQUIRES(maintenance);
  Status make_tiers() REQUIRES(maintenance);
  Status clean_tombstones() REQUIRES(maintenance);
  Status keep_to_retention() REQUIRES(maintenance);
  Status erase(const model::Matchers& matchers, int64_t min_ms, int64_t max_ms)
      REQUIRES(maintenance);
  Status erase_from_head(const model::Matchers& matchers, int64_t min_ms, int64_t max_ms)
      REQUIRES(maintenance);
  bool flush_due(int64_t cut_ms) const REQUIRES(maintenance);
  bool upkeep() EXCLUDES(maintenance);  // false: something failed
  bool changed_since_snapshot() const EXCLUDES(mu);
  bool snapshot_due() EXCLUDES(mu);
  Status drop_tiers(const model::Matchers& matchers, int64_t min_ms, int64_t max_ms)
      REQUIRES(maintenance);
  bool is_log_behind() const EXCLUDES(mu);
  int64_t next_ulid_ms() const;
  Status excuse(const Error& error, const BlockList& suspects) REQUIRES(maintenance);
  bool stopped() const EXCLUDES(mu);
  MergeOptions merge_options(bool zstd);

  void run_upkeep() EXCLUDES(mu);
  void run_sync() EXCLUDES(mu);
  StoreOptions options() const EXCLUDES(mu);
  void measure() REQUIRES(maintenance) EXCLUDES(mu);
  StoreRoom room() const EXCLUDES(mu);
  void log_room() const EXCLUDES(mu);

  std::string snapshots_folder() const { return folder + "/snapshots"; }

  // Fixed after construction.
  const std::string folder;
  const int format;  // what is written
  FileSystem& files;
  const Clock& clock;
  Random& random;
  const Log log{"store"};
  const StoreInstruments instruments;
  std::unique_ptr<FileLock> lock;
  std::unique_ptr<Wal> wal;  // set by recover()

  // Safe by themselves.
  Head head;
  MetadataTable metadata;
  CommitOrder order;
  BlockSet blocks;
  ColumnCache columns;  // for queries
  BatchEpochs batches;
  std::atomic<int64_t> last_commit_ms = 0;  // monotonic

  Mutex maintenance;  // one of flush, compaction, snapshot, deletion, backup at a time
  int64_t last_cut_ms GUARDED_BY(maintenance) = std::numeric_limits<int64_t>::min();
  int64_t last_flush_ms GUARDED_BY(maintenance) = 0;     // monotonic
  int64_t next_weighing_ms GUARDED_BY(maintenance) = 0;  // monotonic
  mutable Mutex mu;
  CondVar wake;
  StoreOptions wanted GUARDED_BY(mu);
  // Failures to log a commit, and those that a snapshot has made good since.
  uint64_t failures GUARDED_BY(mu) = 0;
  uint64_t healed GUARDED_BY(mu) = 0;
  std::string failure GUARDED_BY(mu);
  bool stopping GUARDED_BY(mu) = false;
  bool log_is_behind GUARDED_BY(mu) = false;  // it holds what the head gave to blocks
  uint64_t snapshot_segment GUARDED_BY(mu) = 0;
  uint64_t replayed_bytes GUARDED_BY(mu) = 0;  // of log that stands before our own segments
  uint64_t replayed_samples GUARDED_BY(mu) = 0;
  double replay_seconds GUARDED_BY(mu) = 0;
  std::vector<std::thread> threads;
};

}  // namespace binnacle::store::metrics
