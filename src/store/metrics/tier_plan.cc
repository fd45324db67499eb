#include "store/metrics/tier_plan.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <tuple>

namespace binnacle::store::metrics {
namespace {

using Sources = std::set<std::string_view>;

Sources sources_of_tiers(std::span<const BlockMeta> blocks, int64_t resolution_ms) {
  Sources out;
  for (const BlockMeta& meta : blocks) {
    if (meta.resolution_ms == resolution_ms) out.insert(meta.sources.begin(), meta.sources.end());
  }
  return out;
}

bool all_in(const std::vector<std::string>& wanted, const Sources& have) {
  return std::ranges::all_of(wanted, [&](const std::string& one) { return have.contains(one); });
}

bool overlap(const BlockMeta& a, const BlockMeta& b) {
  return a.min_ms < b.max_ms && b.min_ms < a.max_ms;
}

}  // namespace

std::vector<TierWork> plan_tiers(std::span<const BlockMeta> blocks,
                                 std::span<const int64_t> resolutions_ms, int64_t now_ms) {
  std::vector<const BlockMeta*> raw;
  for (const BlockMeta& meta : blocks) {
    const bool settled = meta.level > 1 || meta.max_ms <= now_ms - kTierDelayMs;
    if (meta.resolution_ms == 0 && settled) raw.push_back(&meta);
  }
  std::ranges::sort(raw, [](const BlockMeta* a, const BlockMeta* b) {
    return std::tie(a->min_ms, a->ulid) < std::tie(b->min_ms, b->ulid);
  });
  std::vector<TierWork> out;
  for (const BlockMeta* block : raw) {
    for (const int64_t resolution_ms : resolutions_ms) {
      if (block->min_ms % resolution_ms != 0 || block->max_ms % resolution_ms != 0) continue;
      if (all_in(block->sources, sources_of_tiers(blocks, resolution_ms))) continue;
      TierWork work{block->ulid, resolution_ms, {}};
      const Sources of_block(block->sources.begin(), block->sources.end());
      for (const BlockMeta& tier : blocks) {
        if (tier.resolution_ms == resolution_ms && all_in(tier.sources, of_block))
          work.replaces.push_back(tier.ulid);
      }
      out.push_back(std::move(work));
    }
  }
  return out;
}

std::vector<std::string> usable_tiers(std::span<const BlockMeta> blocks, int64_t coarsest_ms,
                                      int64_t head_oldest_ms) {
  std::map<int64_t, std::vector<std::string>, std::greater<>> usable;  // coarsest first
  for (const BlockMeta& tier : blocks) {
    if (tier.resolution_ms == 0 || tier.resolution_ms > coarsest_ms) continue;
    if (tier.max_ms > head_oldest_ms) continue;
    const Sources have = sources_of_tiers(blocks, tier.resolution_ms);
    const bool whole = std::ranges::all_of(blocks, [&](const BlockMeta& raw) {
      return raw.resolution_ms != 0 || !overlap(raw, tier) || all_in(raw.sources, have);
    });
    if (whole) usable[tier.resolution_ms].push_back(tier.ulid);
  }
  return usable.empty() ? std::vector<std::string>() : std::move(usable.begin()->second);
}

}  // namespace binnacle::store::metrics
