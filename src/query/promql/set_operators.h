// and, or, unless: rows pass, or not, by whether the other side has a row with the same matching
// labels at that step. Values are never looked at.
#pragma once

#include "query/promql/ast.h"
#include "query/promql/query_meter.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

RowSourcePtr set_operator(const BinaryExpr& expr, RowSourcePtr lhs, RowSourcePtr rhs,
                          EvalContext& context);

}  // namespace binnacle::query::promql
