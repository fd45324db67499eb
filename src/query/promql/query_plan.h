// What a parsed query comes to for one run: durations and @ resolved to times, which parts do not
// change from step to step, which stand in it more than once, and what each selector reads. Beside
// the tree, which stays as it was parsed. Immutable once made; one query's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "model/querier.h"
#include "query/promql/ast.h"
#include "query/promql/query_meter.h"
#include "query/promql/steps.h"

namespace binnacle::query::promql {

// Of a vector selector or a subquery.
struct TimePlan {
  int64_t range_ms = 0;  // 0: no range
  int64_t offset_ms = 0;
  std::optional<int64_t> at_ms;
  int64_t step_ms = 0;  // of a subquery
};

// Samples that selectors with the same matchers read; one read serves them all.
struct ReadPlan {
  model::Matchers matchers;
  int64_t min_ms = 0;  // both included
  int64_t max_ms = 0;
  int64_t range_ms = 0;  // of a range selector
  std::string function;  // innermost one round it
  size_t uses = 0;
  bool any_order = true;  // none that uses it needs the order of labels
  // What those that use it look at: labels, all when nothing; the newest sample alone; whether
  // there is a number, whichever.
  std::optional<std::vector<std::string>> labels = {};
  bool newest_only = false;
  bool any_number = false;
  std::optional<model::TimeGrid> newest_at = {};
};

class QueryPlan {
 public:
  // kInvalidArgument: a duration expression that makes no sense. `expr` outlives the plan.
  static Result<QueryPlan> make(const Expr& expr, const Steps& steps, const QueryLimits& limits);

  // Of info() those of the series that it joins.
  const TimePlan& time_of(const Expr& selector_or_subquery) const;
  // The steps at which a subquery's expression is evaluated for outer steps; nothing when there are
  // none.
  std::optional<Steps> subquery_steps(const Subquery& subquery, const Steps& outer) const;
  // The same at each step, so that one evaluation does.
  bool step_invariant(const Expr& expr) const;
  // Equal for equal parts of the query; nothing for one that stands in it only once.
  std::optional<uint32_t> repeated(const Expr& expr) const;

  size_t read_of(const Expr& selector_or_info) const;
  const std::vector<ReadPlan>& reads() const { return reads_; }
  const Steps& query_steps() const { return steps_; }

 private:
  friend class QueryPlanner;
  struct Node {
    TimePlan time;
    bool invariant = false;
    uint32_t part = 0;  // equal for equal parts
    size_t read = 0;
  };
  const Node& node(const Expr& expr) const;

  Steps steps_;
  std::unordered_map<const Expr*, Node> nodes_;
  std::vector<uint32_t> part_uses_;  // by part
  std::vector<ReadPlan> reads_;
};

}  // namespace binnacle::query::promql
