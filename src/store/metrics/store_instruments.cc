#include "store/metrics/metric_store_parts.h"

namespace binnacle::store::metrics {
namespace {

Counter& refused(Registry& registry, std::string reason) {
  return registry.counter("binnacle_store_refused_total",
                          "Samples that the metric store refused, by reason.",
                          {{"reason", std::move(reason)}});
}

}  // namespace

StoreInstruments::StoreInstruments(Registry& registry)
    : samples(
          registry.counter("binnacle_store_samples_total", "Samples taken into the metric store.")),
      refused_limit(refused(registry, "limit")),
      refused_labels(refused(registry, "labels")),
      refused_duplicate(refused(registry, "duplicate")),
      refused_time(refused(registry, "out_of_range")),
      commits_failed(registry.counter("binnacle_store_commits_failed_total",
                                      "Batches that could not be logged.")),
      snapshots(registry.counter("binnacle_store_snapshots_total", "Head snapshots written.")),
      flushes(
          registry.counter("binnacle_store_flushes_total", "Times the head was cut into blocks.")),
      compactions(registry.counter("binnacle_store_compactions_total", "Merges of blocks.")),
      tiers(registry.counter("binnacle_store_tiers_total", "Downsampled blocks made.")),
      upkeep_failures(registry.counter("binnacle_store_upkeep_failures_total",
                                       "Snapshots, flushes, merges and removals that failed.")),
      series(registry.gauge("binnacle_store_series", "Series with samples in the metric store.")),
      newest_seconds(registry.gauge("binnacle_store_newest_sample_timestamp_seconds",
                                    "Time of the newest sample of the head.")),
      blocks(registry.gauge("binnacle_store_blocks", "Sealed blocks.")),
      block_bytes(registry.gauge("binnacle_store_block_bytes", "Files of the sealed blocks.")),
      column_cache_bytes(registry.gauge("binnacle_store_column_cache_bytes",
                                        "Decoded columns of blocks, held for queries that read "
                                        "them again.")),
      wal_bytes(registry.gauge("binnacle_store_wal_bytes",
                               "Write-ahead log since the last head snapshot.")),
      head_bytes(registry.gauge("binnacle_store_head_bytes", "Memory of the head's series.")),
      room_seconds(registry.gauge("binnacle_store_room_seconds",
                                  "Until storage.max_bytes or the disk is full at the rate of the "
                                  "newest blocks, without what the retention removes; NaN while "
                                  "there is no block.")) {}

void StoreInstruments::count_refused(const Error& error) const {
  switch (error.code) {
    case Code::kResourceExhausted:
      return refused_limit.add();
    case Code::kAlreadyExists:
      return refused_duplicate.add();
    case Code::kOutOfRange:
      return refused_time.add();
    default:
      return refused_labels.add();
  }
}

}  // namespace binnacle::store::metrics
