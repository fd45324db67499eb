// Health as series, so that PromQL and rules see it: binnacle_health_status and _score of the
// cluster, nodes and components, binnacle_health_check_* of checks. A status is 0 healthy,
// 1 degraded, 2 critical, 3 failed, 4 unknown. What is gone gets a stale marker once. One thread at
// a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/appender.h"
#include "model/labels.h"
#include "watch/health/check_runner.h"
#include "watch/health/health_tree.h"

namespace binnacle::watch::health {

struct SeriesPoint {
  model::Labels labels;
  double value = 0;
};

// Beside every point stand `base`'s labels (cluster, job, instance), but for those that it has
// itself.
std::vector<SeriesPoint> series_of(const HealthTree& tree,
                                   const std::map<std::string, RunCounts>& counts,
                                   const model::Labels& base);

class HealthSeries {
 public:
  explicit HealthSeries(model::Appendable& store) : store_(store) {}  // outlives it

  Status write(const std::vector<SeriesPoint>& points, int64_t at_ms);

 private:
  struct Known {
    model::SeriesRef ref = model::kNoSeries;
    uint64_t round = 0;  // that brought it last
  };
  model::Appendable& store_;
  std::map<std::string, Known> known_;  // by packed labels
  uint64_t round_ = 0;
};

}  // namespace binnacle::watch::health
