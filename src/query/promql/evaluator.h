// Turns a planned expression into rows, scalars or ranges: one RowSource for each part of the tree.
// A part that stands in the query more than once is evaluated once and held; one that is the same
// at each step is evaluated at one. One query's, one thread; outlives the rows that it gives.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "query/promql/aggregate.h"
#include "query/promql/engine.h"
#include "query/promql/held_rows.h"
#include "query/promql/instant_functions.h"
#include "query/promql/query_plan.h"
#include "query/promql/rows.h"
#include "query/promql/selector_rows.h"
#include "query/promql/series_reader.h"

namespace binnacle::query::promql {

class Evaluator {
 public:
  // All outlive the evaluator; `helpers` may be null.
  Evaluator(const QueryPlan& plan, SeriesReads& reads, QueryMeter& meter, Annotations& annotations,
            ThreadPool* helpers);

  // Of an expression of that type, at the query's steps.
  Result<RowSourcePtr> rows(const Expr& expr) { return rows(expr, top_); }
  Result<std::vector<double>> scalar(const Expr& expr) { return scalar(expr, top_); }
  Result<std::vector<SampleSeries>> range(const Expr& expr);
  static const std::string& text(const Expr& expr);
  // The rows of a subquery's expression for outer steps, and the steps that they are for.
  Result<RowSourcePtr> subquery_source(const Subquery& subquery, const Steps& outer, Steps& inner);

 private:
  using Held = std::shared_ptr<const std::vector<OwnedRow>>;  // by each row source that shows it

  Result<RowSourcePtr> rows(const Expr& expr, EvalContext& context);
  Result<RowSourcePtr> rows_once(const Expr& expr, EvalContext& context);
  Result<RowSourcePtr> rows_at_each_step(const Expr& expr, EvalContext& context);
  Result<RowSourcePtr> selector(const VectorSelector& selector, SelectorValue value,
                                EvalContext& context);
  Result<RowSourcePtr> call(const Call& call, EvalContext& context);
  Result<RowSourcePtr> range_call(const Call& call, size_t range_arg, EvalContext& context);
  Result<RowSourcePtr> info(const Call& call, EvalContext& context);
  Result<RowSourcePtr> aggregation(const Aggregation& aggregation, EvalContext& context);
  Result<RowSourcePtr> binary(const BinaryExpr& binary, EvalContext& context);
  Result<std::vector<SampleSeries>> subquery_samples(const Subquery& subquery);

  Result<std::vector<double>> scalar(const Expr& expr, EvalContext& context);
  Result<std::vector<double>> scalar_at_each_step(const Expr& expr, EvalContext& context);
  Result<std::vector<double>> scalar_binary_of(const BinaryExpr& binary, EvalContext& context);
  void release_column(const std::vector<double>& column);
  Result<std::vector<Argument>> arguments(const Call& call, EvalContext& context);
  Result<Argument> argument(const Expr& expr, EvalContext& context);

  EvalContext& context_of(const Steps& steps);

  const QueryPlan& plan_;
  SeriesReads& reads_;
  QueryMeter& meter_;
  Annotations& annotations_;
  ThreadPool* const helpers_;
  std::deque<EvalContext> contexts_;  // rows refer to them
  EvalContext& top_;
  HeldBytes held_bytes_;                                                  // of held_
  std::map<std::tuple<uint32_t, int64_t, int64_t, int64_t>, Held> held_;  // by part and steps
};

}  // namespace binnacle::query::promql
