// The rows of the series that a reader gives, in its order. Where there are many series and helpers
// to be had, they are read in batches, one thread at a time, and the rows of a batch are made by
// the thread that read it; the query's own thread takes the batches in order and does the same
// while the next one is not ready, so that it never depends on a helper.
#pragma once

#include <memory>

#include "query/promql/query_meter.h"
#include "query/promql/row_maker.h"
#include "query/promql/series_reader.h"

namespace binnacle::query::promql {

// `context` outlives the rows.
RowSourcePtr series_rows(std::unique_ptr<SeriesReader> reader, RowMakerFactory factory,
                         EvalContext& context);

}  // namespace binnacle::query::promql
