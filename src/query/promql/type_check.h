// Whether the parts of a parsed expression fit together: argument counts and types, what operators
// take, selectors of everything. Sets what follows from types: set operators match many to many,
// an operator on a scalar matches nothing. Pure; any thread.
#pragma once

#include <string_view>

#include "base/error.h"
#include "query/promql/ast.h"

namespace binnacle::query::promql {

// kInvalidArgument: the first that does not fit, as parse() words errors. `text` is the query.
Status check_types(Expr& expr, std::string_view text);

}  // namespace binnacle::query::promql
