// What a metric store does by itself: syncs, snapshots, cuts the head, merges, removes.
#include <algorithm>

#include "store/metrics/head_flush.h"
#include "store/metrics/head_snapshot.h"
#include "store/metrics/metric_store_parts.h"
#include "store/metrics/wal_records.h"

namespace binnacle::store::metrics {
namespace {

constexpr int64_t kUpkeepEveryMs = 1000;
constexpr int64_t kSyncLookEveryMs = 50;
// A quiet store is written down only when that spares the next start some work.
constexpr uint64_t kIdleSnapshotBytes = uint64_t{1} << 20;

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
  TRY(wal->remove_before(segment));
  wal->forgive();
  instruments.snapshots.add();
  MutexLock guard(mu);
  snapshot_segment = segment;
  replayed_bytes = 0;
  if (healed != failed && failed == failures) log.info("samples are logged again");
  healed = failed;
  return {};
}

bool MetricStore::Parts::snapshot_due() {
  if (!writable() || wal->sync_failed()) return true;
  MutexLock guard(mu);
  const uint64_t bytes = replayed_bytes + wal->bytes_since(snapshot_segment);
  const bool idle = clock.monotonic_ms() - last_commit_ms > wanted.idle_snapshot_ms;
  return bytes > wanted.snapshot_bytes || (idle && bytes > kIdleSnapshotBytes);
}

Status MetricStore::Parts::flush(int64_t cut_ms) {
  const StoreOptions now = options();
  HeadFlush flush(head, cut_ms,
                  {.range_ms = now.block_range_ms,
                   .cluster = now.cluster,
                   .external_labels = now.external_labels,
                   .pace = {}});
  TRY_ASSIGN(const auto made, flush.write(files, blocks.folder(), clock, random));
  std::vector<std::string> ulids;
  for (const BlockMeta& meta : made) ulids.push_back(meta.ulid);
  if (!ulids.empty()) TRY(blocks.change(ulids, {}));
  flush.drop();
  head.measure_oldest();
  head.collect_empty(order.snapshot(), batches.all_recent());
  batches.advance();
  instruments.flushes.add();
  return snapshot();
}

Status MetricStore::Parts::compact() { return {}; }

Status MetricStore::Parts::keep_to_retention() { return {}; }

Status MetricStore::Parts::erase(const model::Matchers& matchers, int64_t min_ms, int64_t max_ms) {
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
    const size_t begun = begin_wal_frame(kWalTombstones, frames);
    encode_tombstones(gone, frames);
    end_wal_frame(begun, frames);
    TRY(wal->append(frames));
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
  } else if (snapshot_due()) {
    note(snapshot(), "writing a head snapshot");
  }
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
