// What running a script needs to know of an expression, and to change in it. Pure; any thread.
#pragma once

#include <cstdint>

#include "query/promql/ast.h"

namespace binnacle::query::promql {

// True when it calls what depends on the time at which it is evaluated even where all selectors
// have @: time(), timestamp(), the dates and their like. What stands inside a subquery does not
// count, since the subquery will have @.
bool depends_on_time(const Expr& expr);

// Gives @ `time_ms` to every selector and subquery that has none; inside a subquery nothing
// changes. @ start() and @ end() of an instant query are its time, so they become it.
void put_at(Expr& expr, int64_t time_ms);

}  // namespace binnacle::query::promql
