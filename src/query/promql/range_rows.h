// Functions over range selectors and subqueries as rows: the samples of one series at a time, the
// windows of all steps over them, a value for each.
#pragma once

#include <memory>
#include <vector>

#include "query/promql/query_meter.h"
#include "query/promql/query_plan.h"
#include "query/promql/range_functions.h"
#include "query/promql/row_maker.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

// One call of a function over a range, as each thread that works at it needs it.
struct RangeWork {
  const Call& call;                          // outlives the rows
  std::vector<std::vector<double>> scalars;  // its scalar arguments in order, one a step
  TimePlan time;                             // range, offset and @ of the windows
  Steps steps;                               // at which they end
  QueryMeter& meter;
  int64_t lookback_ms = 0;
  bool anchored = false;
  bool smoothed = false;
};
using SharedRangeWork = std::shared_ptr<const RangeWork>;  // by the makers of all threads

// What is wrong with the scalars is an error only where there is a series.
RowMakerFactory range_rows(SharedRangeWork work);
// `rows` were evaluated at `inner`.
RowSourcePtr subquery_rows(SharedRangeWork work, RowSourcePtr rows, const Steps& inner,
                           Annotations& annotations);

}  // namespace binnacle::query::promql
