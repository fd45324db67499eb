// Which series info() joins, and at which times: those of the first selector in its first argument,
// so that info(v @ T) joins what was so at T. Pure. Source: Prometheus documentation, "Functions",
// info().
#pragma once

#include "base/error.h"
#include "query/promql/ast.h"
#include "query/promql/query_plan.h"

namespace binnacle::query::promql {

// `plan` has planned the call's first argument. A call without a selector in it has the query's own
// times.
TimePlan info_time(const Call& call, const QueryPlan& plan);
// Of the series to join: target_info where the call names no metric, *_info where it only says
// which it is not.
Result<model::Matchers> info_matchers(const Call& call);

}  // namespace binnacle::query::promql
