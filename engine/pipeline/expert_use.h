// What the last thousand rows asked of the experts of a range: how many of them were chosen, and
// how often these were in memory. By rows and not by time, so that a pause changes nothing and long
// ago does not count. From looks at counters that only grow. One thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "engine/model/forward.h"

namespace binnacle::engine {

class ExpertUse {
 public:
  static constexpr int64_t kRows = 1024;  // and those of one look more

  // Of the same layers since they were loaded; other ones want another ExpertUse. The oldest look
  // that counts is never older than a look and kRows rows.
  void look(const ForwardStats& stats, int32_t experts_per_token);

  int64_t active() const { return active_; }           // summed over layers
  double cache_hit_rate() const { return hit_rate_; }  // 1 where nothing had to be looked for

 private:
  struct Look {
    int64_t rows = 0;
    std::vector<std::vector<int64_t>> expert_rows;
    int64_t hits = 0;
    int64_t misses = 0;
  };
  void remember(Look now);

  std::deque<Look> looks_;  // oldest first, an eighth of kRows apart at least
  int64_t active_ = 0;
  double hit_rate_ = 1;
};

}  // namespace binnacle::engine
