#include "store/metrics/store_room.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace binnacle::store::metrics {
namespace {

constexpr int64_t kDayMs = int64_t{24} * 3600 * 1000;

}  // namespace

StoreRoom store_room(std::span<const SizedBlock> blocks, uint64_t max_bytes,
                     uint64_t disk_free_bytes) {
  StoreRoom out{.free_bytes = disk_free_bytes,
                .bytes_per_day = 0,
                .days = std::numeric_limits<double>::quiet_NaN()};
  uint64_t used = 0;
  std::vector<const SizedBlock*> newest_first;
  for (const SizedBlock& block : blocks) {
    used += block.file_bytes;
    newest_first.push_back(&block);
  }
  if (max_bytes != 0)
    out.free_bytes = std::min(out.free_bytes, max_bytes > used ? max_bytes - used : 0);
  if (newest_first.empty()) return out;
  std::ranges::sort(newest_first, [](const SizedBlock* a, const SizedBlock* b) {
    return a->meta.max_ms > b->meta.max_ms;
  });
  const int64_t end_ms = newest_first.front()->meta.max_ms;
  int64_t begin_ms = end_ms;
  uint64_t bytes = 0;
  for (const SizedBlock* block : newest_first) {
    // Blocks of the same range count together, so that a tier counts with its raw block.
    if (end_ms - begin_ms >= kDayMs && block->meta.max_ms <= begin_ms) break;
    bytes += block->file_bytes;
    begin_ms = std::min(begin_ms, block->meta.min_ms);
  }
  const auto span_ms = static_cast<double>(std::max<int64_t>(1, end_ms - begin_ms));
  out.bytes_per_day = static_cast<double>(bytes) * static_cast<double>(kDayMs) / span_ms;
  out.days = static_cast<double>(out.free_bytes) / std::max(1.0, out.bytes_per_day);
  return out;
}

}  // namespace binnacle::store::metrics
