#include "engine/pipeline/expert_use.h"

#include <numeric>
#include <utility>

namespace binnacle::engine {
namespace {

int64_t rows_of(const ForwardStats& stats, int32_t experts_per_token) {
  if (stats.expert_rows.empty() || experts_per_token <= 0) return 0;
  const std::vector<int64_t>& first = stats.expert_rows.front();
  return std::accumulate(first.begin(), first.end(), int64_t{0}) / experts_per_token;
}

}  // namespace

void ExpertUse::look(const ForwardStats& stats, int32_t experts_per_token) {
  if (looks_.empty()) {
    Look& none = looks_.emplace_back();
    for (const auto& layer : stats.expert_rows) none.expert_rows.emplace_back(layer.size());
  }
  remember({.rows = rows_of(stats, experts_per_token),
            .expert_rows = stats.expert_rows,
            .hits = stats.expert_cache_hits,
            .misses = stats.expert_cache_misses});
}

void ExpertUse::remember(Look now) {
  while (looks_.size() > 1 && now.rows - looks_[1].rows >= kRows) looks_.pop_front();
  const Look& since = looks_.front();
  active_ = 0;
  for (size_t layer = 0; layer < now.expert_rows.size(); ++layer) {
    for (size_t e = 0; e < now.expert_rows[layer].size(); ++e)
      active_ += now.expert_rows[layer][e] > since.expert_rows[layer][e] ? 1 : 0;
  }
  const auto hits = static_cast<double>(now.hits - since.hits);
  const auto all = hits + static_cast<double>(now.misses - since.misses);
  hit_rate_ = all > 0 ? hits / all : 1;
  if (now.rows - looks_.back().rows >= kRows / 8) looks_.push_back(std::move(now));
}

}  // namespace binnacle::engine
