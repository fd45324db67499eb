// What a metric store does by itself: syncs, snapshots, cuts the head, merges, removes.
#include <algorithm>

#include "base/kill_points.h"
#include "store/metrics/compaction_plan.h"
#include "store/metrics/compactor.h"
#include "store/metrics/head_flush.h"
#include "store/metrics/head_snapshot.h"
#include "store/metrics/metric_store_parts.h"
#include "store/metrics/tombstones.h"
#include "store/metrics/wal_records.h"

namespace binnacle::store::metrics {
namespace {

constexpr int64_t kUpkeepEveryMs = 1000;
constexpr int64_t kSyncLookEveryMs = 50;
// A quiet store is written down only when that spares the next start some work.
constexpr uint64_t kIdleSnapshotBytes = uint64_t{1} << 20;
// A reader that captures the head meanwhile may hold a snapshot of its beginning; it is never that
// old.
constexpr CommitNumber kCommitsToldApart = 1 << 24;
constexpr int64_t kRangesInRetention = 10;  // the largest block holds a tenth of the retention

// Keeps a writer to so many bytes a second by making it wait.
class Pace {
 public:
  Pace(const Clock& clock, uint64_t bytes_per_second)
      : clock_(clock), bytes_per_second_(bytes_per_second), begun_ns_(clock.monotonic_ns()) {}

  void spend(size_t bytes, const std::function<bool()>& ended) {
    constexpr int64_t kNapNs = 10'000'000;
    spent_ += bytes;
    const auto due_ns = static_cast<int64_t>(1e9 * static_cast<double>(spent_) /
                                             static_cast<double>(bytes_per_second_));
    // A clock that stands still, as a test's may, does not make it wait for ever.
    while (!ended() && std::max(clock_.monotonic_ns() - begun_ns_, slept_ns_) < due_ns) {
      std::this_thread::sleep_for(std::chrono::nanoseconds(kNapNs));
      slept_ns_ += kNapNs;
    }
  }

 private:
  const Clock& clock_;
  const uint64_t bytes_per_second_;
  const int64_t begun_ns_;
  uint64_t spent_ = 0;
  int64_t slept_ns_ = 0;
};

}  // namespace

// Everything that the log held before is on disk in another form when this returns, and so is what
// a failed commit left in memory.
Status MetricStore::Parts::snapshot() {
  uint64_t failed = 0;
  if (!writable()) {
    const CommitOrder::Hold drained(order);
    MutexLock guard(mu);
    failed = failures;
  } else {
    MutexLock guard(mu);
    failed = failures;
  }
  TRY_ASSIGN(const uint64_t segment, wal->rotate());
  TRY(write_head_snapshot(head, metadata, files, clock, snapshots_folder(), segment));
  kill_point("snapshot.done");
  TRY(wal->remove_before(segment));
  wal->forgive();
  instruments.snapshots.add();
  MutexLock guard(mu);
  log_is_behind = false;
  snapshot_segment = segment;
  replayed_bytes = 0;
  if (healed != failed && failed == failures) log.info("samples are logged again");
  healed = failed;
  return {};
}

bool MetricStore::Parts::snapshot_due() {
  if (!writable() || wal->sync_failed()) return true;
  MutexLock guard(mu);
  if (log_is_behind) return true;
  const uint64_t bytes = replayed_bytes + wal->bytes_since(snapshot_segment);
  const bool idle = clock.monotonic_ms() - last_commit_ms > wanted.idle_snapshot_ms;
  return bytes > wanted.snapshot_bytes || (idle && bytes > kIdleSnapshotBytes);
}

Status MetricStore::Parts::flush(int64_t cut_ms) {
  TRY(blocks.remove_strays());
  const StoreOptions now = options();
  HeadFlush flush(head, cut_ms,
                  {.range_ms = now.block_range_ms,
                   .cluster = now.cluster,
                   .external_labels = now.external_labels,
                   .pace = {}});
  TRY_ASSIGN(const auto made, flush.write(files, blocks.folder(), next_ulid_ms(), random));
  std::vector<std::string> ulids;
  for (const BlockMeta& meta : made) ulids.push_back(meta.ulid);
  if (!ulids.empty()) TRY(blocks.change(ulids, {}));
  {
    MutexLock guard(mu);
    log_is_behind = true;
  }
  kill_point("block.drop");
  flush.drop();
  head.measure_oldest();
  head.collect_empty(order.snapshot() - kCommitsToldApart, batches.all_recent());
  batches.advance();
  instruments.flushes.add();
  return snapshot();
}

// Later than that of every block, whatever the clock says: of two samples at one time the one in
// the block with the later ULID holds.
int64_t MetricStore::Parts::next_ulid_ms() const {
  int64_t newest_ms = -1;
  const auto list = blocks.list();
  for (const auto& block : *list) newest_ms = std::max(newest_ms, ulid_ms(block->meta().ulid));
  return std::max(clock.wall_ms(), newest_ms + 1);
}

// Plans anew after each merge: its result may be one more for the next range.
Status MetricStore::Parts::compact() {
  TRY(blocks.remove_strays());
  const StoreOptions now = options();
  const CompactionOptions plan_options{
      compaction_ranges(now.block_range_ms, now.retention_ms / kRangesInRetention)};
  for (;;) {
    const auto list = blocks.list();
    std::vector<BlockMeta> metas;
    for (const auto& block : *list) metas.push_back(block->meta());
    const auto groups = plan_compactions(metas, plan_options, clock.wall_ms());
    if (groups.empty()) return {};
    const auto& group = groups.front();
    BlockList inputs;
    for (const auto& block : *list) {
      if (std::find(group.begin(), group.end(), block->meta().ulid) != group.end())
        inputs.push_back(block);
    }
    Pace pace(clock, now.compaction_bytes_per_second);
    const auto ended = [this] { return stopped(); };
    const MergeOptions merge{
        .write = {.zstd = now.zstd_from_level != 0 &&
                          inputs.front()->meta().level + 1 >= now.zstd_from_level,
                  .pace = [&](size_t bytes) { pace.spend(bytes, ended); }},
        .cancelled = ended};
    TRY_ASSIGN(const BlockMeta made, merge_blocks(files, blocks.folder(), inputs,
                                                  make_ulid(next_ulid_ms(), random), merge));
    kill_point("merge.done");
    TRY(blocks.change({made.ulid}, made.parents));
    instruments.compactions.add();
  }
}

Status MetricStore::Parts::keep_to_retention() {
  const StoreOptions now = options();
  std::vector<SizedBlock> sized;
  const auto list = blocks.list();
  for (const auto& block : *list) sized.push_back({block->meta(), block->file_bytes()});
  const auto old = plan_retention(
      sized, {.max_age_ms = now.retention_ms, .max_bytes = now.retention_bytes}, clock.wall_ms());
  if (old.empty()) return {};
  log.info("removing blocks beyond the retention", {{"blocks", old.size()}});
  return blocks.change({}, old);
}

bool MetricStore::Parts::is_log_behind() const {
  MutexLock guard(mu);
  return log_is_behind;
}

bool MetricStore::Parts::stopped() const {
  MutexLock guard(mu);
  return stopping;
}

Status MetricStore::Parts::erase(const model::Matchers& matchers, int64_t min_ms, int64_t max_ms) {
  // Of what the head no longer knows, the log must hold nothing that a start would bring back, and
  // no block may be there that gets no tombstone.
  TRY(blocks.remove_strays());
  if (is_log_behind()) TRY(snapshot());
  // No commit in flight: what is acknowledged later stays.
  const CommitOrder::Hold hold(order);
  std::vector<WalTombstone> gone;
  for (const uint32_t number : head.index().select(matchers)) {
    head.visit(number, [&](model::SeriesRef ref, HeadSeries& series) {
      series.erase(min_ms, max_ms);
      gone.push_back({ref, min_ms, max_ms});
    });
  }
  if (!gone.empty()) {
    std::string frames;
    frame_tombstones(gone, frames);
    TRY(wal->append(frames));
  }
  const auto list = blocks.list();
  for (const auto& block : *list) {
    if (block->meta().min_ms > max_ms || block->meta().max_ms <= min_ms) continue;
    TRY_ASSIGN(const auto series, block->select(matchers));
    if (series.empty()) continue;
    std::vector<Tombstone> tombstones;
    for (const uint32_t one : series) tombstones.push_back({one, min_ms, max_ms});
    TRY(add_tombstones(files, block->folder(), tombstones));
    TRY(blocks.reopen(block->meta().ulid));
  }
  return {};
}

void MetricStore::Parts::upkeep() {
  MutexLock guard(maintenance);
  const auto note = [this](const Status& outcome, std::string_view what) {
    if (outcome) return;
    instruments.upkeep_failures.add();
    log.error("upkeep of the metric store failed, tried again in a second",
              {{"what", what}, {"error", outcome.error().message}});
  };
  const StoreOptions now = options();
  // A block is cut when all of it is older than the window for late samples.
  const int64_t cut_ms = range_start(clock.wall_ms() - now.block_range_ms / 2, now.block_range_ms);
  if (head.oldest_ms() < cut_ms) {
    note(flush(cut_ms), "cutting a block");
    note(compact(), "merging blocks");
  }
  // Also where no block could be cut: it is what lets writes go on.
  if (snapshot_due()) note(snapshot(), "writing a head snapshot");
  note(keep_to_retention(), "removing old blocks");
  measure();
}

void MetricStore::Parts::measure() {
  instruments.series.set(static_cast<double>(head.series_count()));
  instruments.newest_seconds.set(static_cast<double>(head.newest_ms()) / 1000);
  instruments.blocks.set(static_cast<double>(blocks.list()->size()));
  instruments.block_bytes.set(static_cast<double>(blocks.file_bytes()));
  MutexLock guard(mu);
  instruments.wal_bytes.set(
      static_cast<double>(replayed_bytes + wal->bytes_since(snapshot_segment)));
}

void MetricStore::Parts::run_upkeep() {
  for (;;) {
    {
      MutexLock guard(mu);
      if (!stopping) wake.wait_for_ms(mu, kUpkeepEveryMs);
      if (stopping) return;
    }
    upkeep();
  }
}

void MetricStore::Parts::run_sync() {
  for (;;) {
    {
      MutexLock guard(mu);
      if (!stopping) wake.wait_for_ms(mu, kSyncLookEveryMs);
      if (stopping) return;
    }
    if (const Status synced = wal->sync_if_due(); !synced)
      log.error("the log could not be synced", {{"error", synced.error().message}});
  }
}

void MetricStore::start() {
  parts_->threads.emplace_back([this] { parts_->run_upkeep(); });
  parts_->threads.emplace_back([this] { parts_->run_sync(); });
}

void MetricStore::stop() {
  {
    MutexLock guard(parts_->mu);
    if (parts_->stopping) return;
    parts_->stopping = true;
    parts_->wake.notify_all();
  }
  for (std::thread& thread : parts_->threads) thread.join();
  MutexLock guard(parts_->maintenance);
  if (const Status written = parts_->snapshot(); !written)
    parts_->log.error("no snapshot at the end, the next start replays the log",
                      {{"error", written.error().message}});
}

void MetricStore::upkeep_once() { parts_->upkeep(); }

}  // namespace binnacle::store::metrics
