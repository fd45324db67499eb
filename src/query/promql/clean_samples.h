// A series' samples without its stale markers, which end a series for an instant and do not exist
// for a range. Views the columns where there are none, which is the rule, and copies them else.
#pragma once

#include <vector>

#include "model/querier.h"
#include "query/promql/range_functions.h"

namespace binnacle::query::promql {

class CleanSamples {
 public:
  // Valid until the next call, and as long as what `columns` views.
  Samples without_stale(const model::SeriesColumns& columns);
  // Whether the last call gave other times than the columns have.
  bool copied() const { return copied_; }

 private:
  std::vector<int64_t> times_ms_;
  std::vector<double> values_;
  bool copied_ = false;
};

}  // namespace binnacle::query::promql
