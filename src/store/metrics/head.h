// The newest samples, in memory: series in shards, each behind its own lock, found by their label
// bytes or by a reference, and an index of their labels. Durable only through the log of the
// MetricStore that owns it. Any thread; locks are taken shard before index, never two shards.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "model/appender.h"
#include "store/metrics/head_image.h"
#include "store/metrics/head_index.h"
#include "store/metrics/head_series.h"
#include "store/metrics/store_limits.h"
#include "store/metrics/wal_records.h"

namespace binnacle::store::metrics {

// A sample on its way in; `index` is its place in the batch.
struct PendingSample {
  size_t index = 0;
  model::SeriesRef ref = model::kNoSeries;
  model::Sample sample;
};

class Head {
 public:
  static constexpr size_t kShards = 16;

  explicit Head(StoreLimits limits);
  ~Head();
  void set_limits(const StoreLimits& limits) EXCLUDES(limits_mu_);
  StoreLimits limits() const EXCLUDES(limits_mu_);

  // The series of that ref, or of those labels, made when new. kNotFound for a forgotten ref
  // without labels, kResourceExhausted at a limit, kInvalidArgument for labels beyond their limits.
  Result<model::SeriesRef> resolve(model::SeriesRef ref, model::LabelsView labels);
  // Whether it is the ref of a series, which then stays while the batch that asks lives.
  bool keep(model::SeriesRef ref) {
    const std::atomic<uint32_t>* life = generation(static_cast<uint32_t>(ref));
    const uint32_t now = life == nullptr ? 0 : life->load(std::memory_order_relaxed);
    return now != 0 && (now == ref >> 32 || keep_doomed(ref));
  }

  // What the log must hold of a commit, and what was refused.
  struct Applied {
    model::CommitReport report;
    std::vector<WalSample> samples;
    std::vector<std::pair<model::SeriesRef, std::string>> unlogged;  // series, with their labels
  };
  Applied apply(std::span<const PendingSample> batch, CommitNumber commit, int64_t now_ms);
  void mark_logged(std::span<const std::pair<model::SeriesRef, std::string>> series);

  // From the log or a snapshot, in any order of the series' samples.
  Status restore_series(model::SeriesRef ref, model::LabelsView labels);
  using Restore = std::function<void(HeadSeries&)>;
  Status restore_columns(model::SeriesRef ref, const Restore& restore);
  // Returns how many samples had no series. Several threads may replay different shards.
  size_t replay(std::span<const WalSample> samples);
  void erase(model::SeriesRef ref, int64_t min_ms, int64_t max_ms);

  struct Wanted {
    int64_t min_ms = 0;
    int64_t max_ms = 0;
    bool labels_only = false;
    const std::vector<std::string>* names = nullptr;  // of labels; null: all
    model::ReadBudget* budget = nullptr;              // of what is held meanwhile; null: none
  };
  // The samples of those series that a reader of `snapshot` sees; false when that cannot be told
  // any more and a newer snapshot is needed. Errors are the budget's.
  Result<bool> capture(const model::Matchers& matchers, const Wanted& wanted, CommitNumber snapshot,
                       HeadImage& out) const;
  const HeadIndex& index() const { return index_; }

  // All series with samples, in label order.
  std::vector<uint32_t> ordered() const;
  // Under the series' lock; nothing for a number without a series.
  using Visit = std::function<void(model::SeriesRef ref, HeadSeries&)>;
  void visit(uint32_t number, const Visit& visit);
  // From begin_cut() to end_cut() the samples are counted that come in order and lie before the
  // cut. No commit is in flight when it begins.
  void begin_cut(int64_t cut_ms);
  void end_cut();
  // As visit(), with how many of the series' samples these are.
  using CutVisit = std::function<void(model::SeriesRef ref, HeadSeries&, uint32_t came_since)>;
  void visit_cut(uint32_t number, const CutVisit& visit);
  void append_labels(const HeadSeries& series, std::string& packed) const;
  uint32_t numbers_end() const;  // all series' numbers are below

  // Marks series without samples, and takes out those that were marked before and that nobody has
  // used since. `may_remove`: no batch is alive that was begun before the last call.
  size_t collect_empty(CommitNumber watermark, bool may_remove);

  size_t series_count() const { return series_count_.load(std::memory_order_relaxed); }
  uint64_t late_sequence() const { return late_sequence_.load(); }
  uint64_t memory_bytes() const;
  size_t chunk_count() const;  // looks at every series, as memory_bytes() does
  void note_memory(uint64_t bytes) { memory_noted_ = bytes; }  // what the limit is held against
  // No sample is newer, none older.
  int64_t newest_ms() const { return newest_ms_.load(); }
  int64_t oldest_ms() const { return oldest_ms_.load(); }
  void measure_oldest();  // after samples were dropped

 private:
  static constexpr size_t kPageSeries = 1024;
  static constexpr size_t kMaxPages = 16384;  // 268 million series in all shards
  static constexpr uint32_t kDoomed = 0x80000000;
  struct Page {
    std::array<HeadSeries, kPageSeries> series;
    // Of the life in the slot; with kDoomed when it goes at the next collection unless used.
    std::array<std::atomic<uint32_t>, kPageSeries> generation = {};
  };
  struct Shard {
    mutable Mutex mu;
    std::unique_ptr<std::atomic<Page*>[]> pages;  // never move; read without the lock
    std::vector<uint32_t> table GUARDED_BY(mu);   // slot + 1 by hash; 0: free
    std::vector<uint32_t> free GUARDED_BY(mu);
    uint32_t used GUARDED_BY(mu) = 0;  // entries of `table`
    int64_t cut_ms GUARDED_BY(mu) = std::numeric_limits<int64_t>::min();
    std::unordered_map<uint32_t, uint32_t> came_since GUARDED_BY(mu);  // the cut began, by number
    std::atomic<uint32_t> end = 0;                                     // slots are below
  };

  bool keep_doomed(model::SeriesRef ref);
  // Null: no such slot.
  std::atomic<uint32_t>* generation(uint32_t number) const {
    const Shard& shard = shards_[number % kShards];
    const uint32_t slot = number / kShards;
    if (slot >= shard.end.load(std::memory_order_acquire)) return nullptr;
    return &page(shard, slot)->generation[slot % kPageSeries];
  }
  HeadSeries* series(const Shard& shard, uint32_t slot) const {
    return &page(shard, slot)->series[slot % kPageSeries];
  }
  static Page* page(const Shard& shard, uint32_t slot) {
    return shard.pages[slot / kPageSeries].load(std::memory_order_acquire);
  }
  Status check_room(model::LabelsView labels, const StoreLimits& limits) const;
  bool same_labels(const HeadSeries& series, model::LabelsView labels) const;
  bool matches(const HeadSeries& series, const model::Matchers& matchers) const;
  uint32_t find(const Shard& shard, uint64_t hash, model::LabelsView labels) const
      REQUIRES(shard.mu);
  void insert(Shard& shard, uint32_t slot, uint64_t hash) REQUIRES(shard.mu);
  void forget(Shard& shard, size_t shard_number, uint32_t slot) REQUIRES(shard.mu);
  void detach(Shard& shard, uint32_t slot) REQUIRES(shard.mu);
  void make_slot(Shard& shard, uint32_t slot) REQUIRES(shard.mu);
  model::SeriesRef create(Shard& shard, size_t shard_number, uint64_t hash,
                          model::LabelsView labels) REQUIRES(shard.mu);
  void apply_shard(Shard& shard, std::span<const PendingSample> batch, CommitNumber commit,
                   int64_t now_ms, const StoreLimits& limits, Applied& out) EXCLUDES(shard.mu);
  size_t replay_shard(Shard& shard, std::span<const WalSample> samples) EXCLUDES(shard.mu);
  void note_time(int64_t ms);
  Status apply_one(HeadSeries& series, const model::Sample& sample, CommitNumber commit,
                   int64_t now_ms, const StoreLimits& limits, bool& fresh);

  mutable std::array<Shard, kShards> shards_;
  HeadIndex index_;
  std::atomic<size_t> series_count_ = 0;
  std::atomic<uint64_t> late_sequence_ = 0;
  std::atomic<uint64_t> memory_noted_ = 0;
  std::atomic<int64_t> newest_ms_ = std::numeric_limits<int64_t>::min();
  std::atomic<int64_t> oldest_ms_ = std::numeric_limits<int64_t>::max();
  std::atomic<int64_t> oldest_noted_ms_ = std::numeric_limits<int64_t>::max();  // since measured
  std::atomic<uint64_t> removals_ = 0;  // of series; a slot may then have another one

  mutable Mutex limits_mu_;
  StoreLimits limits_ GUARDED_BY(limits_mu_);
};

}  // namespace binnacle::store::metrics
