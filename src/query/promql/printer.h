// A tree as PromQL text again; parsing it gives the same tree. Pure; any thread.
#pragma once

#include <string>

#include "query/promql/ast.h"

namespace binnacle::query::promql {

// One line, as Prometheus prints expressions.
std::string to_string(const Expr& expr);
// What format_query answers: broken into lines of at most 100 characters where an expression is
// longer.
std::string pretty(const Expr& expr);
std::string duration_text(int64_t ms);  // 1h30m, 0s

}  // namespace binnacle::query::promql
