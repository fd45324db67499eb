// Answers a plain selector over evenly spaced steps: at each step the newest sample within the
// lookback, unless it is a stale marker. Series by series over all steps. Pure but for the store
// that it reads; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "model/labels.h"
#include "model/querier.h"
#include "query/promql/query_meter.h"
#include "query/promql/steps.h"

namespace binnacle::query::promql {

struct SeriesValues {
  model::Labels labels;
  std::vector<double> values;  // one for each step; absent_value() where there is none
};

// Series without a value at any step are left out. Errors name the limit and its setting.
Result<std::vector<SeriesValues>> evaluate(model::Queryable& store, const model::Matchers& matchers,
                                           const Steps& steps, const QueryLimits& limits);

}  // namespace binnacle::query::promql
