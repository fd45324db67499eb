// What a metric store does by itself: syncs, snapshots, cuts the head into blocks.
// What becomes of the blocks: metric_store_blocks.cc.
#include <algorithm>
#include <cmath>

#include "base/kill_points.h"
#include "store/metrics/head_flush.h"
#include "store/metrics/head_snapshot.h"
#include "store/metrics/metric_store_parts.h"
#include "store/metrics/tombstones.h"
#include "store/metrics/wal_records.h"

namespace binnacle::store::metrics {
namespace {

constexpr int64_t kUpkeepEveryMs = 1000;
constexpr int64_t kUpkeepAfterFailureMs = 5000;
constexpr int64_t kSyncLookEveryMs = 50;
constexpr int64_t kWeighEveryMs = 10'000;         // looks at every series
constexpr uint64_t kEmptySegmentsBytes = 2 * 32;  // a start begins a segment of its own
// A quiet store is written down only when that spares the next start some work.
constexpr uint64_t kIdleSnapshotBytes = uint64_t{1} << 20;
// Late samples wait that long for others before they are cut into a block.
constexpr int64_t kLateFlushEveryMs = 30 * 60'000;
// A reader that captures the head meanwhile may hold a snapshot of its beginning; it is never that
// old.
constexpr CommitNumber kCommitsToldApart = 1 << 24;

}  // namespace

// Everything that the log held before is on disk in another form when this returns, and so is what
// a failed commit left in memory.
Status MetricStore::Parts::snapshot() {
  TRY_ASSIGN(const uint64_t segment, wal->rotate());
  uint64_t failed = 0;
  {
    // Who wrote into an earlier segment is done with its series when these are looked at.
    const CommitOrder::Hold drained(order);
    MutexLock guard(mu);
    failed = failures;
  }
  TRY(write_head_snapshot(head, metadata, files, clock, snapshots_folder(), segment, format));
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

bool MetricStore::Parts::changed_since_snapshot() const {
  MutexLock guard(mu);
  return failures != healed ||
         replayed_bytes + wal->bytes_since(snapshot_segment) > kEmptySegmentsBytes;
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
  HeadFlush flush(head, order, cut_ms,
                  {.range_ms = now.block_range_ms,
                   .cluster = now.cluster,
                   .external_labels = now.external_labels,
                   .format = format,
                   .pace = {}});
  TRY_ASSIGN(const auto made, flush.write(files, blocks.folder(), next_ulid_ms(), random));
  std::vector<std::string> ulids;
  for (const BlockMeta& meta : made) ulids.push_back(meta.ulid);
  order.note_cut(flush.upto());
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
  last_cut_ms = std::max(last_cut_ms, cut_ms);
  last_flush_ms = clock.monotonic_ms();
  return snapshot();
}

bool MetricStore::Parts::is_log_behind() const {
  MutexLock guard(mu);
  return log_is_behind;
}

bool MetricStore::Parts::stopped() const {
  MutexLock guard(mu);
  return stopping;
}

Status MetricStore::Parts::erase_from_head(const model::Matchers& matchers, int64_t min_ms,
                                           int64_t max_ms) {
  // No commit in flight: what is acknowledged later stays.
  const CommitOrder::Hold hold(order);
  std::vector<WalTombstone> gone;
  TRY_ASSIGN(const auto selected, head.index().select(matchers));
  for (const uint32_t number : selected) {
    head.visit(number, [&](model::SeriesRef ref, HeadSeries& series) {
      series.erase(min_ms, max_ms);
      gone.push_back({ref, min_ms, max_ms});
    });
  }
  if (gone.empty()) return {};
  std::string frames;
  frame_tombstones(gone, frames);
  return wal->append(frames);
}

Status MetricStore::Parts::erase(const model::Matchers& matchers, int64_t min_ms, int64_t max_ms) {
  // Of what the head no longer knows, the log must hold nothing that a start would bring back, and
  // no block may be there that gets no tombstone.
  TRY(blocks.remove_strays());
  if (is_log_behind()) TRY(snapshot());
  TRY(erase_from_head(matchers, min_ms, max_ms));
  TRY(drop_tiers(matchers, min_ms, max_ms));
  const auto list = blocks.list();
  for (const auto& block : *list) {
    if (block->meta().min_ms > max_ms || block->meta().max_ms <= min_ms) continue;
    TRY_ASSIGN(const auto series, block->select(matchers));
    if (series.empty()) continue;
    std::vector<Tombstone> tombstones;
    for (const uint32_t one : series) tombstones.push_back({one, min_ms, max_ms});
    TRY(add_tombstones(files, block->folder(), block->meta().format, tombstones));
    TRY(blocks.reopen(block->meta().ulid));
  }
  return {};
}

bool MetricStore::Parts::flush_due(int64_t cut_ms) const {
  if (head.oldest_ms() >= cut_ms) return false;
  return cut_ms > last_cut_ms || clock.monotonic_ms() - last_flush_ms > kLateFlushEveryMs;
}

bool MetricStore::Parts::upkeep() {
  MutexLock guard(maintenance);
  bool all_well = true;
  const auto note = [&](const Status& outcome, std::string_view what) {
    if (outcome || outcome.error().code == Code::kCancelled) return;
    all_well = false;
    instruments.upkeep_failures.add();
    log.error("upkeep of the metric store failed, it is tried again",
              {{"what", what}, {"error", outcome.error().message}});
  };
  const StoreOptions now = options();
  // A block is cut when all of it is older than half a range, which is the time for late samples.
  const int64_t cut_ms = range_start(clock.wall_ms() - now.block_range_ms / 2, now.block_range_ms);
  if (flush_due(cut_ms)) {
    note(flush(cut_ms), "cutting a block");
    note(compact(), "merging blocks");
  }
  // Also where no block could be cut: it is what lets writes go on.
  if (snapshot_due()) note(snapshot(), "writing a head snapshot");
  note(make_tiers(), "downsampling a block");
  note(keep_to_retention(), "removing old blocks");
  measure();
  return all_well;
}

void MetricStore::Parts::measure() {
  instruments.series.set(static_cast<double>(head.series_count()));
  instruments.newest_seconds.set(static_cast<double>(head.newest_ms()) / 1000);
  instruments.blocks.set(static_cast<double>(blocks.list()->size()));
  instruments.block_bytes.set(static_cast<double>(blocks.file_bytes()));
  instruments.column_cache_bytes.set(static_cast<double>(columns.bytes()));
  if (clock.monotonic_ms() >= next_weighing_ms) {
    next_weighing_ms = clock.monotonic_ms() + kWeighEveryMs;
    const uint64_t bytes = head.memory_bytes();
    head.note_memory(bytes);
    instruments.head_bytes.set(static_cast<double>(bytes));
  }
  constexpr double kSecondsADay = 86'400;
  instruments.room_seconds.set(room().days * kSecondsADay);
  MutexLock guard(mu);
  instruments.wal_bytes.set(
      static_cast<double>(replayed_bytes + wal->bytes_since(snapshot_segment)));
}

StoreRoom MetricStore::Parts::room() const {
  const auto space = files.space(folder);
  return store_room(sized(*blocks.list()), options().retention_bytes,
                    space ? space->available_bytes : UINT64_MAX);
}

void MetricStore::Parts::log_room() const {
  constexpr double kDayMs = 86'400'000;
  const StoreRoom found = room();
  if (std::isnan(found.days)) return;
  const double kept_days = static_cast<double>(options().retention_ms) / kDayMs;
  const LogFields fields = {{"days", found.days},
                            {"free_bytes", found.free_bytes},
                            {"bytes_per_day", found.bytes_per_day},
                            {"retention_days", kept_days}};
  const double needed = found.bytes_per_day * kept_days;
  const bool lasts = needed <= static_cast<double>(found.free_bytes + blocks.file_bytes());
  if (lasts) {
    log.info("there is room for all that the retention keeps", fields);
  } else {
    log.warn("at the present rate the room for blocks is full before the retention ends", fields);
  }
}

void MetricStore::Parts::run_upkeep() {
  int64_t pause_ms = kUpkeepEveryMs;
  for (;;) {
    const int64_t until_ms = clock.monotonic_ms() + pause_ms;
    {
      MutexLock guard(mu);
      while (!stopping && clock.monotonic_ms() < until_ms) wake.wait_for_ms(mu, kUpkeepEveryMs);
      if (stopping) return;
    }
    pause_ms = upkeep() ? kUpkeepEveryMs : kUpkeepAfterFailureMs;
  }
}

void MetricStore::Parts::run_sync() {
  bool failing = false;
  for (;;) {
    {
      MutexLock guard(mu);
      if (!stopping) wake.wait_for_ms(mu, kSyncLookEveryMs);
      if (stopping) return;
    }
    const Status synced = wal->sync_if_due();
    if (!synced && !failing)
      log.error("the log cannot be synced", {{"error", synced.error().message}});
    failing = !synced;
  }
}

void MetricStore::start() {
  parts_->log_room();
  {
    MutexLock guard(parts_->maintenance);
    parts_->measure();
  }
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
  if (!parts_->changed_since_snapshot()) return;
  if (const Status written = parts_->snapshot(); !written)
    parts_->log.error("no snapshot at the end, the next start replays the log",
                      {{"error", written.error().message}});
}

void MetricStore::upkeep_once() { (void)parts_->upkeep(); }

}  // namespace binnacle::store::metrics
