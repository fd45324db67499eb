// Instant vector selectors as rows: at each step the newest sample within the lookback, unless it
// is a stale marker. Series whose samples have the same times share the search for them.
#pragma once

#include "query/promql/query_meter.h"
#include "query/promql/query_plan.h"
#include "query/promql/row_maker.h"

namespace binnacle::query::promql {

enum class SelectorValue : uint8_t { kSample, kSampleSeconds };  // or the sample's time

RowMakerFactory selector_rows(const TimePlan& time, SelectorValue value,
                              const EvalContext& context);
// A `smoothed` selector: between samples the line that joins them.
RowMakerFactory smoothed_rows(const TimePlan& time, const EvalContext& context);

}  // namespace binnacle::query::promql
