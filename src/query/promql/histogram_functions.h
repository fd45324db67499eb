// histogram_quantile, histogram_quantiles and histogram_fraction over classic histograms. What asks
// for parts of native histograms (histogram_count, _sum, _avg, _stddev, _stdvar) finds none yet.
// Source: Prometheus documentation, "Functions".
#pragma once

#include <vector>

#include "base/error.h"
#include "query/promql/instant_functions.h"

namespace binnacle::query::promql {

// Null: `call` is none of these. Reads all rows at the first next().
Result<RowSourcePtr> histograms_on_rows(const Call& call, std::vector<Argument>& args,
                                        EvalContext& context);

}  // namespace binnacle::query::promql
