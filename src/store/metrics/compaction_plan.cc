#include "store/metrics/compaction_plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/check.h"

namespace binnacle::store::metrics {
namespace {

constexpr int64_t kGrowth = 3;

using Blocks = std::vector<const BlockMeta*>;  // by time
using Groups = std::vector<std::vector<std::string>>;

bool by_time(const BlockMeta* a, const BlockMeta* b) {
  return std::tie(a->min_ms, a->max_ms, a->ulid) < std::tie(b->min_ms, b->max_ms, b->ulid);
}

// Blocks that may be put together, oldest first.
std::vector<Blocks> alike(std::span<const BlockMeta> blocks) {
  using Kind = std::tuple<int64_t, std::string, std::map<std::string, std::string>>;
  std::map<Kind, Blocks> kinds;
  for (const BlockMeta& meta : blocks)
    kinds[{meta.resolution_ms, meta.cluster, meta.external_labels}].push_back(&meta);
  std::vector<Blocks> out;
  for (auto& [kind, of_kind] : kinds) {
    std::ranges::sort(of_kind, by_time);
    out.push_back(std::move(of_kind));
  }
  return out;
}

void add_group(std::span<const BlockMeta* const> blocks, std::set<const BlockMeta*>& used,
               Groups& groups) {
  std::vector<std::string> ulids;
  for (const BlockMeta* block : blocks) {
    used.insert(block);
    ulids.push_back(block->ulid);
  }
  groups.push_back(std::move(ulids));
}

void plan_overlaps(const Blocks& blocks, std::set<const BlockMeta*>& used, Groups& groups) {
  for (size_t begin = 0, end = 0; begin < blocks.size(); begin = end) {
    int64_t reach = blocks[begin]->max_ms;
    for (end = begin + 1; end < blocks.size() && blocks[end]->min_ms < reach; ++end)
      reach = std::max(reach, blocks[end]->max_ms);
    if (end - begin > 1) add_group(std::span(blocks).subspan(begin, end - begin), used, groups);
  }
}

int64_t floor_to(int64_t time_ms, int64_t range_ms) {
  const int64_t rest = time_ms % range_ms;
  return time_ms - rest - (rest < 0 ? range_ms : 0);
}

void plan_range(const Blocks& blocks, int64_t range_ms, int64_t now_ms,
                std::set<const BlockMeta*>& used, Groups& groups) {
  const int64_t newest_min = blocks.back()->min_ms;
  for (size_t begin = 0, end = 0; begin < blocks.size(); begin = end) {
    const int64_t first = floor_to(blocks[begin]->min_ms, range_ms);
    const int64_t last = first + range_ms;
    bool fits = true;
    for (end = begin; end < blocks.size() && blocks[end]->min_ms < last; ++end)
      fits = fits && blocks[end]->max_ms <= last && !used.contains(blocks[end]);
    const bool complete = newest_min >= last && last <= now_ms;
    if (fits && complete && end - begin > 1)
      add_group(std::span(blocks).subspan(begin, end - begin), used, groups);
  }
}

}  // namespace

std::vector<int64_t> compaction_ranges(int64_t first_ms, int64_t max_ms) {
  CHECK(first_ms > 0);
  std::vector<int64_t> ranges = {first_ms};
  while (ranges.back() <= max_ms / kGrowth) ranges.push_back(ranges.back() * kGrowth);
  return ranges;
}

std::vector<std::vector<std::string>> plan_compactions(std::span<const BlockMeta> blocks,
                                                       const CompactionOptions& options,
                                                       int64_t now_ms) {
  CHECK(std::ranges::is_sorted(options.ranges_ms));
  std::set<const BlockMeta*> used;
  Groups groups;
  const std::vector<Blocks> kinds = alike(blocks);
  for (const Blocks& of_kind : kinds) plan_overlaps(of_kind, used, groups);
  for (const Blocks& of_kind : kinds) {
    for (const int64_t range_ms : options.ranges_ms)
      plan_range(of_kind, range_ms, now_ms, used, groups);
  }
  return groups;
}

std::vector<std::string> plan_retention(std::span<const SizedBlock> blocks,
                                        const RetentionOptions& options, int64_t now_ms) {
  std::vector<const SizedBlock*> oldest_first;
  uint64_t bytes = 0;
  for (const SizedBlock& block : blocks) {
    oldest_first.push_back(&block);
    bytes += block.file_bytes;
  }
  std::ranges::sort(oldest_first, [](const SizedBlock* a, const SizedBlock* b) {
    return std::tie(a->meta.max_ms, a->meta.ulid) < std::tie(b->meta.max_ms, b->meta.ulid);
  });
  std::vector<std::string> out;
  for (const SizedBlock* block : oldest_first) {
    const bool too_old =
        options.max_age_ms > 0 && block->meta.max_ms <= now_ms - options.max_age_ms;
    const bool too_much = options.max_bytes > 0 && bytes > options.max_bytes;
    if (!too_old && !too_much) break;
    bytes -= block->file_bytes;
    out.push_back(block->meta.ulid);
  }
  return out;
}

}  // namespace binnacle::store::metrics
