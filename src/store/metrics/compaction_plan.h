// Which blocks to merge and which to delete: pure functions of what their meta files say.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/metrics/block_meta.h"

namespace binnacle::store::metrics {

inline constexpr int64_t kFirstBlockRangeMs = int64_t{2} * 3600 * 1000;

struct CompactionOptions {
  // Ascending; aligned ranges that blocks grow into. The first is that of blocks cut from the head.
  std::vector<int64_t> ranges_ms;
};

// first_ms * 3^k up to max_ms, first_ms at least.
std::vector<int64_t> compaction_ranges(int64_t first_ms, int64_t max_ms);

// Groups of ULIDs, each to be merged into one block; no block is in two. Blocks that overlap come
// first. Then those that fill an aligned range, smaller ranges first; one that the newest block
// lies in is left alone until there is a later block, since more may come into it. Only blocks of
// one resolution, cluster and external labels are put together.
std::vector<std::vector<std::string>> plan_compactions(std::span<const BlockMeta> blocks,
                                                       const CompactionOptions& options,
                                                       int64_t now_ms);

struct SizedBlock {
  BlockMeta meta;
  uint64_t file_bytes = 0;
};

struct RetentionOptions {
  int64_t max_age_ms = 0;  // 0: no limit
  uint64_t max_bytes = 0;  // 0: no limit
};

// ULIDs to delete, oldest first: those whose last sample is too old, then the oldest until the rest
// fits.
std::vector<std::string> plan_retention(std::span<const SizedBlock> blocks,
                                        const RetentionOptions& options, int64_t now_ms);

}  // namespace binnacle::store::metrics
