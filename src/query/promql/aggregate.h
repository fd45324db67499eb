// Aggregations: rows in, one row a group out (for topk, bottomk, limitk and limit_ratio: rows of
// the input, absent where they were not chosen). Rows are added straight into their group's
// columns. Sums are compensated (Kahan, Neumaier), averages kept from overflowing. Source:
// Prometheus documentation, "Aggregation operators".
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "query/promql/ast.h"
#include "query/promql/query_meter.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

struct AggregateParam {
  std::vector<double> scalar;  // one for each step; k, ratio or quantile
  std::string text;            // count_values' label
};

// Reads all rows at the first next(). In an instant query topk and bottomk give rows by value.
// `expr` and `context` outlive the source.
Result<RowSourcePtr> aggregate(const Aggregation& expr, RowSourcePtr rows, AggregateParam param,
                               EvalContext& context);

}  // namespace binnacle::query::promql
