// How a metric store comes back: blocks, head snapshot, log, and what of them is damaged.
#include <algorithm>

#include "store/metrics/head_snapshot.h"
#include "store/metrics/metric_store_parts.h"
#include "store/metrics/store_replay.h"

namespace binnacle::store::metrics {
namespace {

// More threads than that wait for memory, not for a core.
constexpr size_t kMaxReplayThreads = 4;
constexpr int64_t kTellProgressEveryMs = 2000;

size_t replay_threads() {
  return std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kMaxReplayThreads);
}

Status go_on(const StoreProgress* progress) {
  if (progress == nullptr || !progress->cancelled) return {};
  return fail(Code::kCancelled, "metric store: loading was called off");
}

bool is_whole(const WalReadReport& read) {
  return read.damage.empty() || read.damage.front().torn_tail;
}

}  // namespace

void MetricStore::Parts::tell_damage(const WalReadReport& read) const {
  for (const WalDamage& damage : read.damage) {
    const LogFields fields = {{"segment", damage.segment},
                              {"offset", damage.offset},
                              {"bytes", damage.bytes_lost},
                              {"reason", damage.reason}};
    if (damage.torn_tail) {
      log.info("the log's last record was cut short by the end of the process", fields);
    } else {
      log.error("the log is damaged: used up to there, the rest is set aside", fields);
    }
  }
}

Result<WalReadReport> MetricStore::Parts::replay_log(uint64_t from, StoreProgress* progress) {
  const std::string wal_folder = folder + "/wal";
  TRY(files.create_directories(wal_folder));
  StoreReplay replay(head, metadata, replay_threads());
  int64_t tell_ms = clock.monotonic_ms() + kTellProgressEveryMs;
  const auto tell = [&](uint64_t done, uint64_t total) {
    if (progress != nullptr) {
      progress->total_bytes = total;
      progress->done_bytes = done;
    }
    if (clock.monotonic_ms() < tell_ms) return;
    tell_ms = clock.monotonic_ms() + kTellProgressEveryMs;
    log.info("replaying the log", {{"done_bytes", done}, {"total_bytes", total}});
  };
  const auto take = [&](WalRecordType type, std::string_view payload) {
    return go_on(progress).and_then([&] { return replay.take(type, payload); });
  };
  TRY_ASSIGN(WalReadReport read, read_wal(files, wal_folder, from, take, tell));
  replay.finish();
  tell_damage(read);
  if (replay.lost() > 0)
    log.error("the log names no series for some samples", {{"samples", replay.lost()}});
  TRY(mend_wal(files, wal_folder, read));
  MutexLock guard(mu);
  snapshot_segment = from;
  replayed_bytes = read.bytes;
  replayed_samples = replay.samples();
  return read;
}

Status MetricStore::Parts::recover(StoreProgress* progress, Registry& registry) {
  const int64_t begun_ns = clock.monotonic_ns();
  TRY(files.create_directories(folder));
  auto held = files.lock(folder + "/lock");
  if (!held) return fail(std::move(held).error().with_context("metric store"));
  lock = std::move(*held);
  // Before anything is tidied up: what another version wrote stays as it is.
  if (auto known = check_store_formats(files, folder); !known)
    return fail(std::move(known).error().with_context("metric store"));
  const auto may_go_on = [progress] { return go_on(progress); };
  TRY_ASSIGN(const auto opened, blocks.open(may_go_on));
  for (const std::string& damaged : opened.damaged)
    log.error("a damaged block was set aside, its samples are not served", {{"block", damaged}});
  TRY_ASSIGN(const auto loaded,
             load_head_snapshot(files, snapshots_folder(), head, metadata, may_go_on));
  if (!loaded.damaged.empty())
    log.error("the head snapshot was damaged, what stood before the damage is used",
              {{"copy", loaded.damaged}});
  TRY_ASSIGN(const WalReadReport read, replay_log(loaded.wal_segment, progress));
  const uint64_t next = std::max({read.last_segment + 1, loaded.wal_segment, uint64_t{1}});
  WalOptions wal_options = options().wal;
  wal_options.format = format;
  TRY_ASSIGN(wal, Wal::open(folder + "/wal", next, wal_options, files, clock, registry));
  if (!loaded.damaged.empty() || !is_whole(read)) {
    MutexLock guard(maintenance);
    TRY(snapshot());
  }
  const double seconds = static_cast<double>(clock.monotonic_ns() - begun_ns) / 1e9;
  MutexLock guard(mu);
  replay_seconds = seconds;
  log.info("metric store loaded", {{"blocks", opened.blocks},
                                   {"series", head.series_count()},
                                   {"snapshot_bytes", loaded.bytes},
                                   {"replayed_samples", replayed_samples},
                                   {"replayed_bytes", read.bytes},
                                   {"seconds", seconds}});
  return {};
}

}  // namespace binnacle::store::metrics
