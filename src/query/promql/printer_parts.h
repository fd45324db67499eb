// Parts of printed expressions that stand on a line of their own where expressions are broken.
// Pure; any thread.
#pragma once

#include <string>

#include "query/promql/ast.h"

namespace binnacle::query::promql {

void append_subquery_suffix(std::string& out, const Subquery& subquery);  // [5m:1m] offset 1h
std::string aggregation_head(const Aggregation& aggregation);             // `sum by (a) `
std::string operator_text(const BinaryExpr& binary);  // `== bool on (a) group_left (b)`
// Inf ^ a: written without its plus, which would be read as the sign of the power.
bool has_infinite_base(const BinaryExpr& binary);

}  // namespace binnacle::query::promql
