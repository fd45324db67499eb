// Binary operators between columns, and between vectors with matching by hashed label signatures.
// Source: Prometheus documentation, "Operators".
#pragma once

#include <span>
#include <vector>

#include "base/error.h"
#include "query/promql/ast.h"
#include "query/promql/query_meter.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

// Comparisons give 0 or 1. Neither is ever absent.
double scalar_binary(BinaryOp op, double lhs, double rhs);
void scalar_binary(BinaryOp op, std::span<const double> lhs, std::span<const double> rhs,
                   std::span<double> out);

// Row by row, nothing is held. `expr` and `context` outlive the source, as below.
RowSourcePtr vector_scalar(const BinaryExpr& expr, RowSourcePtr rows, std::vector<double> scalar,
                           bool scalar_is_lhs, EvalContext& context);

// One side is held, the other streams through where the operator allows. Errors in Prometheus'
// words: "found duplicate series for the match group ...", "multiple matches for labels: ...".
Result<RowSourcePtr> vector_vector(const BinaryExpr& expr, RowSourcePtr lhs, RowSourcePtr rhs,
                                   EvalContext& context);

// -rows; the name goes.
RowSourcePtr negate(RowSourcePtr rows);

}  // namespace binnacle::query::promql
