// How long the room for blocks lasts at the rate at which the newest blocks filled it. Pure.
#pragma once

#include <cstdint>
#include <span>

#include "store/metrics/compaction_plan.h"

namespace binnacle::store::metrics {

struct StoreRoom {
  uint64_t free_bytes = 0;  // up to the limit or the end of the disk, whichever comes first
  double bytes_per_day = 0;
  double days = 0;  // without what the retention removes meanwhile; NaN while there is no block
};

// The rate is that of the newest blocks that reach over a day, or of all. `max_bytes` 0: no limit.
StoreRoom store_room(std::span<const SizedBlock> blocks, uint64_t max_bytes,
                     uint64_t disk_free_bytes);

}  // namespace binnacle::store::metrics
