// How many samples each step of a query looks at, as Prometheus counts them for `stats=all`: of an
// instant selector one for each series that has a value, of a range the whole window, of a subquery
// below a function the points in its window; each occurrence in the query for itself, as if each
// step were a query of its own. It reads the samples once more. Source: Prometheus documentation,
// "HTTP API", and the comments of its util/stats.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "query/promql/evaluator.h"

namespace binnacle::query::promql {

// Charges `meter` for what it reads. The info series of info() are not counted. The evaluator's
// rows may be held by it already.
Result<std::vector<uint64_t>> samples_per_step(const Expr& expr, const QueryPlan& plan,
                                               SeriesReads& reads, Evaluator& evaluator,
                                               QueryMeter& meter);

}  // namespace binnacle::query::promql
