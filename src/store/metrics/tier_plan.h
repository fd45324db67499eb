// Which downsampled tiers to make, and which may answer a query: pure functions of what the blocks'
// meta files say. A tier tells by its sources which raw blocks it was made of.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/metrics/block_meta.h"

namespace binnacle::store::metrics {

// A raw block gets its tiers once it was merged, or so long after the end of its range: late
// samples make most of the further blocks of a range before that.
inline constexpr int64_t kTierDelayMs = int64_t{6} * 3600 * 1000;

struct TierWork {
  std::string raw;  // ULID of the block to make it of
  int64_t resolution_ms = 0;
  std::vector<std::string> replaces;  // tiers of nothing but what that block holds
};

// Oldest range first. Left out are blocks that do not begin and end at multiples of the resolution.
std::vector<TierWork> plan_tiers(std::span<const BlockMeta> blocks,
                                 std::span<const int64_t> resolutions_ms, int64_t now_ms);

// ULIDs of the tiers that hold all that raw blocks hold of their range and end before the head
// begins, at the coarsest resolution up to `coarsest_ms` that has any.
std::vector<std::string> usable_tiers(std::span<const BlockMeta> blocks, int64_t coarsest_ms,
                                      int64_t head_oldest_ms);

}  // namespace binnacle::store::metrics
