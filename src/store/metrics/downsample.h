// Makes a coarser tier of a block: for each series and window count, sum, min, max, last and
// increase, each a series of its own. Any thread; long, so one of a pool's. What the values mean:
// docs/formats/block.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "store/metrics/block.h"
#include "store/metrics/block_writer.h"
#include "store/metrics/compactor.h"

namespace binnacle::store::metrics {

inline constexpr std::string_view kAggregateLabel = "__aggregate__";
inline constexpr int64_t kTiersMs[] = {int64_t{5} * 60 * 1000, int64_t{60} * 60 * 1000};

// In the order of their names, which is that of the tier's series.
enum class Aggregate : uint8_t { kCount, kIncrease, kLast, kMax, kMin, kSum };
inline constexpr Aggregate kAggregates[] = {Aggregate::kCount, Aggregate::kIncrease,
                                            Aggregate::kLast,  Aggregate::kMax,
                                            Aggregate::kMin,   Aggregate::kSum};
std::string_view aggregate_name(Aggregate aggregate);

// Replaces what the vectors `out_...` hold: a point for each window with samples, at its last
// millisecond.
void downsample(std::span<const int64_t> times_ms, std::span<const double> values,
                int64_t resolution_ms, Aggregate aggregate, std::vector<int64_t>& out_times_ms,
                std::vector<double>& out_values);

// A tier block of a block of raw samples, whose sources it names as its own. The series are read
// once for each aggregate, so that memory stays that of a writer. `replaces`: tiers that it stands
// for from then on, its parents.
Result<BlockMeta> downsample_block(FileSystem& files, const std::string& blocks_folder,
                                   const Block& raw, int64_t resolution_ms, std::string ulid,
                                   const MergeOptions& options,
                                   std::vector<std::string> replaces = {});

}  // namespace binnacle::store::metrics
