// Functions over range selectors and subqueries as rows: the samples of one series at a time, the
// windows of all steps over them, a value for each.
#pragma once

#include <memory>
#include <vector>

#include "query/promql/query_plan.h"
#include "query/promql/range_functions.h"
#include "query/promql/rows.h"
#include "query/promql/series_reader.h"

namespace binnacle::query::promql {

// One series of a range vector.
struct RangeSeries {
  model::LabelsView labels;
  bool drop_name = false;
  Samples samples;
  uint64_t times_id = 0;  // equal and not 0: the times are those of the series before
};

class RangeSource {
 public:
  virtual ~RangeSource() = default;
  virtual Result<bool> next(RangeSeries& out) = 0;  // as RowSource
};

std::unique_ptr<RangeSource> selector_range(std::unique_ptr<SeriesReader> reader);
// `rows` were evaluated at `steps`.
std::unique_ptr<RangeSource> subquery_range(RowSourcePtr rows, const Steps& steps);

// `scalars` are what the spans of `call` view. `time`: range, offset and @ of the windows that end
// at `steps`. What is wrong with the scalars is an error only where there is a series.
RowSourcePtr range_rows(std::unique_ptr<RangeSource> source, RangeCall call,
                        std::vector<std::vector<double>> scalars, const TimePlan& time,
                        EvalContext& context);

}  // namespace binnacle::query::promql
