// label_replace and label_join: labels change, values do not. Source: Prometheus documentation,
// "Functions".
#pragma once

#include <vector>

#include "base/error.h"
#include "query/promql/instant_functions.h"

namespace binnacle::query::promql {

// Null: `call` is none of these. Reads all rows at the first next(), as rows that get equal labels
// become one. kOutOfRange for a bad regex or label name, or where such rows overlap.
Result<RowSourcePtr> labels_on_rows(const Call& call, std::vector<Argument>& args,
                                    EvalContext& context);

}  // namespace binnacle::query::promql
