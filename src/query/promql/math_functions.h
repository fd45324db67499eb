// Mathematics over instant vectors: a row in, a row out, the name goes. Source: Prometheus
// documentation, "Functions".
#pragma once

#include <vector>

#include "base/error.h"
#include "query/promql/instant_functions.h"

namespace binnacle::query::promql {

// abs to tanh, clamp, clamp_max, clamp_min, round. Null: `call` is none of these.
Result<RowSourcePtr> math_on_rows(const Call& call, std::vector<Argument>& args,
                                  EvalContext& context);

// The larger and the smaller as IEEE 754-2008 and Go have them: an infinity that decides goes
// before a NaN, a NaN before any other value, and -0 is less than 0.
double larger_of(double a, double b);
double smaller_of(double a, double b);

}  // namespace binnacle::query::promql
