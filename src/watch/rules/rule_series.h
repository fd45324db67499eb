// The series that one rule writes: appends what an evaluation gave and ends what it no longer
// gives. Remembers the store's references. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "model/appender.h"
#include "model/labels.h"

namespace binnacle::watch::rules {

struct RuleSample {
  model::Labels labels;
  double value = 0;
};

class RuleSeries {
 public:
  // One batch. An error: a sample was refused (the first one's reason; the others are stored), or
  // nothing was stored.
  Status write(model::Appendable& store, int64_t at_ms, const std::vector<RuleSample>& samples);

  // What the last write gave; from now on nobody's.
  std::vector<model::Labels> release();

 private:
  struct Known {
    model::SeriesRef ref = model::kNoSeries;
    uint64_t written = 0;  // the round that wrote it last
  };
  std::unordered_map<std::string, Known> known_;  // by packed labels
  uint64_t round_ = 0;
};

// A stale marker for each. Those that other rules write at that time are refused, as they should.
Status end_series(model::Appendable& store, int64_t at_ms, const std::vector<model::Labels>& ended);

}  // namespace binnacle::watch::rules
