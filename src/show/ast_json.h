// An expression as the JSON tree that Prometheus' parse_query answers, for the views of query trees
// that pages have. Pure; any thread.
#pragma once

#include <string>

#include "query/promql/ast.h"

namespace binnacle::show {

void append_expression_tree(std::string& out, const query::promql::Expr& expr);

}  // namespace binnacle::show
