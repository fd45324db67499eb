// The settings of the metric store. Plain values; each is a key of the configuration (storage.*).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/metrics/store_limits.h"
#include "store/metrics/wal.h"

namespace binnacle::store::metrics {

struct StoreOptions {
  StoreLimits limits;
  int format = kDefaultFormat;  // of what is written; fixed by the start
  WalOptions wal;               // its format is the one above
  int64_t block_range_ms = 2 * 3'600'000;
  int64_t retention_ms = 30 * 24 * 3'600'000LL;
  uint64_t retention_bytes = 100'000'000'000;
  uint64_t snapshot_bytes = uint64_t{64} << 20;     // of log since the last snapshot
  int64_t idle_snapshot_ms = 20'000;                // or so long without a commit
  uint64_t compaction_bytes_per_second = 64 << 20;  // written
  uint64_t column_cache_bytes = uint64_t{32} << 20;
  int zstd_from_level = 0;  // blocks merged to that level and above are compressed; 0: none
  std::vector<int64_t> downsample_ms;  // resolutions of kTiersMs to make tiers of
  std::string cluster;
  std::map<std::string, std::string> external_labels;
};

}  // namespace binnacle::store::metrics
