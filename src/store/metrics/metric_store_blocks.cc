// What becomes of the blocks of a metric store: merges, coarser tiers, removal, what is damaged.
#include <algorithm>

#include "base/kill_points.h"
#include "store/metrics/compaction_plan.h"
#include "store/metrics/compactor.h"
#include "store/metrics/downsample.h"
#include "store/metrics/metric_store_parts.h"
#include "store/metrics/tier_plan.h"

namespace binnacle::store::metrics {
namespace {

constexpr int64_t kRangesInRetention = 10;  // the largest block holds a tenth of the retention

// Keeps a writer to so many bytes a second by making it wait.
class Pace {
 public:
  Pace(const Clock& clock, uint64_t bytes_per_second)
      : clock_(clock), bytes_per_second_(bytes_per_second), begun_ns_(clock.monotonic_ns()) {}

  // `nap` waits for so many milliseconds, less when the store is stopping; false: do not wait on.
  void spend(size_t bytes, const std::function<bool(int64_t)>& nap) {
    constexpr int64_t kNapMs = 10;
    spent_ += bytes;
    const auto due_ns = static_cast<int64_t>(1e9 * static_cast<double>(spent_) /
                                             static_cast<double>(bytes_per_second_));
    // A clock that stands still, as a test's may, does not make it wait for ever.
    while (std::max(clock_.monotonic_ns() - begun_ns_, slept_ns_) < due_ns && nap(kNapMs))
      slept_ns_ += kNapMs * 1'000'000;
  }

 private:
  const Clock& clock_;
  const uint64_t bytes_per_second_;
  const int64_t begun_ns_;
  uint64_t spent_ = 0;
  int64_t slept_ns_ = 0;
};

}  // namespace

// At the bandwidth that is set, until the store stops.
MergeOptions MetricStore::Parts::merge_options(bool zstd) {
  // Shared only because a std::function must be copyable.
  const auto pace = std::make_shared<Pace>(clock, options().compaction_bytes_per_second);
  const auto nap = [this](int64_t ms) {
    MutexLock guard(mu);
    if (!stopping) wake.wait_for_ms(mu, ms);
    return !stopping;
  };
  return {.write = {.zstd = zstd,
                    .format = format,
                    .pace = [pace, nap](size_t bytes) { pace->spend(bytes, nap); }},
          .cancelled = [this] { return stopped(); }};
}

// Later than that of every block, whatever the clock says: of two samples at one time the one in
// the block with the later ULID holds.
int64_t MetricStore::Parts::next_ulid_ms() const {
  int64_t newest_ms = -1;
  const auto list = blocks.list();
  for (const auto& block : *list) newest_ms = std::max(newest_ms, ulid_ms(block->meta().ulid));
  return std::max(clock.wall_ms(), newest_ms + 1);
}

Status MetricStore::Parts::compact() {
  TRY(blocks.remove_strays());
  const StoreOptions now = options();
  const CompactionOptions plan_options{
      compaction_ranges(now.block_range_ms, now.retention_ms / kRangesInRetention)};
  // Plans anew after each merge: its result may be one more for the next range.
  for (;;) {
    const auto list = blocks.list();
    const auto groups = plan_compactions(metas_of(*list), plan_options, clock.wall_ms());
    if (groups.empty()) return {};
    const auto& group = groups.front();
    BlockList inputs;
    for (const auto& block : *list) {
      if (std::find(group.begin(), group.end(), block->meta().ulid) != group.end())
        inputs.push_back(block);
    }
    const bool zstd =
        now.zstd_from_level != 0 && inputs.front()->meta().level + 1 >= now.zstd_from_level;
    const auto made = merge_blocks(files, blocks.folder(), inputs,
                                   make_ulid(next_ulid_ms(), random), merge_options(zstd));
    if (!made) {
      TRY(excuse(made.error(), inputs));
      continue;
    }
    kill_point("merge.done");
    TRY(blocks.change({made->ulid}, made->parents));
    instruments.compactions.add();
  }
}

// One at a time, so that what is due each second is not kept waiting for a long row of them.
Status MetricStore::Parts::make_tiers() {
  const StoreOptions now = options();
  if (now.downsample_ms.empty()) return {};
  const auto list = blocks.list();
  const auto plan = plan_tiers(metas_of(*list), now.downsample_ms, clock.wall_ms());
  if (plan.empty()) return {};
  const TierWork& work = plan.front();
  const auto raw = std::ranges::find_if(
      *list, [&](const auto& block) { return block->meta().ulid == work.raw; });
  const auto made =
      downsample_block(files, blocks.folder(), **raw, work.resolution_ms,
                       make_ulid(next_ulid_ms(), random), merge_options(false), work.replaces);
  if (!made) return excuse(made.error(), {*raw});
  TRY(blocks.change({made->ulid}, work.replaces));
  instruments.tiers.add();
  return {};
}

// A block is written anew under a ULID of its own millisecond: it stays where it stood among those
// that overlap it.
Status MetricStore::Parts::clean_tombstones() {
  TRY(blocks.remove_strays());
  const auto list = blocks.list();
  for (const auto& block : *list) {
    if (!block->has_tombstones()) continue;
    const std::string& old = block->meta().ulid;
    const bool zstd =
        options().zstd_from_level != 0 && block->meta().level >= options().zstd_from_level;
    const auto made = merge_blocks(files, blocks.folder(), std::span(&block, 1),
                                   make_ulid(ulid_ms(old), random), merge_options(zstd));
    if (!made) {
      TRY(excuse(made.error(), {block}));
      continue;
    }
    kill_point("clean.done");
    // Of a block that is deleted whole nothing stays.
    if (made->samples == 0) {
      TRY(blocks.change({}, {old, made->ulid}));
    } else {
      TRY(blocks.change({made->ulid}, {old}));
    }
  }
  return {};
}

Status MetricStore::Parts::keep_to_retention() {
  const StoreOptions now = options();
  const auto old = plan_retention(
      sized(*blocks.list()), {.max_age_ms = now.retention_ms, .max_bytes = now.retention_bytes},
      clock.wall_ms());
  if (old.empty()) return {};
  log.info("removing blocks beyond the retention", {{"blocks", old.size()}});
  return blocks.change({}, old);
}

// The tiers that sum up some of what is to be deleted, where they can be made anew of what stays.
// Others keep their sums but for the windows that end within the time, as a raw block its samples.
Status MetricStore::Parts::drop_tiers(const model::Matchers& matchers, int64_t min_ms,
                                      int64_t max_ms) {
  std::vector<std::string> dropped;
  const auto list = blocks.list();
  for (const auto& tier : *list) {
    const BlockMeta& meta = tier->meta();
    if (meta.resolution_ms == 0 || meta.min_ms > max_ms || meta.max_ms <= min_ms) continue;
    const bool raw_stays = std::ranges::any_of(*list, [&](const auto& block) {
      const BlockMeta& raw = block->meta();
      return raw.resolution_ms == 0 && raw.min_ms < meta.max_ms && raw.max_ms > meta.min_ms;
    });
    if (!raw_stays) continue;
    TRY_ASSIGN(const auto series, tier->select(matchers));
    if (!series.empty()) dropped.push_back(meta.ulid);
  }
  return dropped.empty() ? Status() : blocks.change({}, dropped);
}

// A damaged block would be in the way of every later merge: it is set aside, and the failure of
// this one is over. Other failures stay.
Status MetricStore::Parts::excuse(const Error& error, const BlockList& suspects) {
  if (error.code != Code::kDataLoss) return fail(error);
  size_t found = 0;
  for (const auto& block : suspects) {
    const Status whole = block->verify();
    if (whole) continue;
    if (whole.error().code != Code::kDataLoss) return fail(whole.error());
    TRY_ASSIGN(const std::string name, blocks.set_aside(block->meta().ulid));
    log.error("a damaged block was set aside, its samples are not served",
              {{"block", name}, {"error", whole.error().message}});
    ++found;
  }
  return found > 0 ? Status() : fail(error);
}

}  // namespace binnacle::store::metrics
