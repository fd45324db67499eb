// Instant vector selectors as rows: at each step the newest sample within the lookback, unless it
// is a stale marker. Series whose samples have the same times share the search for them.
#pragma once

#include <memory>

#include "query/promql/query_meter.h"
#include "query/promql/query_plan.h"
#include "query/promql/rows.h"
#include "query/promql/series_reader.h"

namespace binnacle::query::promql {

enum class SelectorValue : uint8_t { kSample, kSampleSeconds };  // or the sample's time

// `context` outlives the rows.
RowSourcePtr selector_rows(std::unique_ptr<SeriesReader> reader, const TimePlan& time,
                           SelectorValue value, EvalContext& context);
// A `smoothed` selector: between samples the line that joins them.
RowSourcePtr smoothed_rows(std::unique_ptr<SeriesReader> reader, const TimePlan& time,
                           EvalContext& context);

}  // namespace binnacle::query::promql
