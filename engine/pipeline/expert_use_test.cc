#include "engine/pipeline/expert_use.h"

#include <gtest/gtest.h>

namespace binnacle::engine {
namespace {

constexpr int32_t kPerToken = 2;

// Two layers of four experts; `rows` more of which each goes to the first two or to all in turn.
void add_rows(ForwardStats& stats, int64_t rows, bool all) {
  for (auto& layer : stats.expert_rows) {
    for (size_t e = 0; e < layer.size(); ++e) {
      if (all) layer[e] += rows / 2;
      if (!all && e < 2) layer[e] += rows;
    }
  }
}

ForwardStats two_layers() {
  ForwardStats stats;
  stats.expert_rows.assign(2, std::vector<int64_t>(4));
  return stats;
}

TEST(ExpertUse, ForgetsExpertsThatTheLastRowsDidNotGoTo) {
  ForwardStats stats = two_layers();
  ExpertUse use;
  use.look(stats, kPerToken);
  EXPECT_EQ(use.active(), 0);
  add_rows(stats, 100, true);
  use.look(stats, kPerToken);
  EXPECT_EQ(use.active(), 8);
  for (int64_t rows = 0; rows < ExpertUse::kRows - 100; rows += 100) {
    add_rows(stats, 100, false);
    use.look(stats, kPerToken);
    EXPECT_EQ(use.active(), 8) << "the rows that went to all are among the last thousand";
  }
  for (int look = 0; look < 4; ++look) {
    add_rows(stats, 100, false);
    use.look(stats, kPerToken);
  }
  EXPECT_EQ(use.active(), 4);
}

TEST(ExpertUse, APauseChangesNothing) {
  ForwardStats stats = two_layers();
  ExpertUse use;
  use.look(stats, kPerToken);
  add_rows(stats, 5000, true);
  for (int look = 0; look < 100; ++look) use.look(stats, kPerToken);
  EXPECT_EQ(use.active(), 8);
}

TEST(ExpertUse, HitRateIsThatOfTheLastRows) {
  ForwardStats stats = two_layers();
  ExpertUse use;
  use.look(stats, kPerToken);
  EXPECT_EQ(use.cache_hit_rate(), 1) << "no expert was needed";
  stats.expert_cache_misses = 1000;
  add_rows(stats, ExpertUse::kRows, true);
  use.look(stats, kPerToken);
  EXPECT_EQ(use.cache_hit_rate(), 0);
  stats.expert_cache_hits = 300;
  stats.expert_cache_misses = 1100;
  add_rows(stats, ExpertUse::kRows, true);
  use.look(stats, kPerToken);
  EXPECT_EQ(use.cache_hit_rate(), 0.75);
}

}  // namespace
}  // namespace binnacle::engine
