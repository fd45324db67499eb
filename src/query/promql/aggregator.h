// What the aggregation operators are made of: rows are added one by one, then the answer's rows are
// taken. Each operator is one Aggregator; aggregate.cc chooses it. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "query/promql/ast.h"
#include "query/promql/query_meter.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

class Aggregator {
 public:
  virtual ~Aggregator() = default;
  virtual Status add(const Row& row) = 0;
  virtual Status finish() { return {}; }  // after the last row
  // False at the end. What `out` shows holds as long as the aggregator lives.
  virtual Result<bool> next(Row& out) = 0;
};
using AggregatorPtr = std::unique_ptr<Aggregator>;

// sum, avg, count, group, min, max, stddev, stdvar.
AggregatorPtr make_column_aggregator(const Aggregation& expr, EvalContext& context);
AggregatorPtr make_quantile_aggregator(const Aggregation& expr, std::vector<double> quantiles,
                                       EvalContext& context);
AggregatorPtr make_count_values_aggregator(const Aggregation& expr, std::string label,
                                           EvalContext& context);
// topk, bottomk. Entries of `k` are neither NaN nor beyond int64.
AggregatorPtr make_top_aggregator(const Aggregation& expr, std::vector<double> k,
                                  EvalContext& context);
// limitk and limit_ratio choose as rows go by.
RowSourcePtr limit_rows(const Aggregation& expr, RowSourcePtr rows, std::vector<double> limits,
                        EvalContext& context);

}  // namespace binnacle::query::promql
