// info(v, {matchers}): rows get the data labels of the info series (target_info unless the matchers
// name others) that have the same instance and job. Source: Prometheus documentation, "info()".
#pragma once

#include <functional>

#include "base/error.h"
#include "model/matcher.h"
#include "query/promql/instant_functions.h"

namespace binnacle::query::promql {

// Gives the rows of the info series that fit info_matchers() of the call and these. Their values
// are the samples' times in seconds, as timestamp() of a selector gives them, at info_time().
using SelectInfo = std::function<Result<RowSourcePtr>(const model::Matchers&)>;

// `select` is called at the first next(), at most once, with matchers for the values of instance
// and job that `base` has; rows that fit no base row do no harm. kOutOfRange: "found
// duplicate series for info metric ..." where two info series have a sample of the same time,
// "conflicting label: ..." where two info metrics disagree.
RowSourcePtr info(const Call& call, RowSourcePtr base, SelectInfo select, EvalContext& context);

}  // namespace binnacle::query::promql
