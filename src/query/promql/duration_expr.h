// What duration expressions come to once the query's step and range are known. Pure; any thread.
#pragma once

#include "base/error.h"
#include "query/promql/ast.h"

namespace binnacle::query::promql {

struct DurationScope {
  int64_t step_ms = 0;   // step(); of an instant query 0
  int64_t range_ms = 0;  // range(): end - start
};

// kInvalidArgument in Prometheus' words: division by zero, not greater than 0, out of range.
// `may_be_negative`: of offsets.
Result<int64_t> duration_ms(const Duration& duration, const DurationScope& scope,
                            bool may_be_negative);

}  // namespace binnacle::query::promql
